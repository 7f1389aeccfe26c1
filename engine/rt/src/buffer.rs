//! Owned byte buffers from a per-shard pool.
//!
//! A [`Buf`] is a fixed piece of memory with a window of bytes that count. Space before the window is kept so that a
//! head or a chunk's size can be put in front of a payload without moving it; space behind it, so that a chunk can be
//! ended. Memory comes from the system by pages, and these go back to it when more than the pool's bound is free, so that a
//! burst leaves nothing behind but addresses.

use crate::counters::BufferGauges;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::ptr::NonNull;

/// Bytes of a standard buffer: a head and a body of 16 KiB fit together, so that such an answer is received in one
/// operation and sent in one.
pub const STANDARD_BYTES: usize = 20 * 1024;
/// Bytes of a large buffer, used once a body has shown itself to be longer than a standard buffer.
pub const LARGE_BYTES: usize = 128 * 1024;
/// Bytes kept free in front of what is received.
pub const HEADROOM_BYTES: usize = 1024;
/// Bytes kept free behind what is received: the end of a chunk and the last chunk.
pub const TAILROOM_BYTES: usize = 32;
/// Free standard buffers that a shard keeps with their pages (5 MiB), or as many as are lent; the pages of more go back
/// to the system.
pub const FREE_STANDARD_MAX: usize = 256;
/// Free large buffers that a shard keeps with their pages (4 MiB), or as many as are lent.
pub const FREE_LARGE_MAX: usize = 32;

/// An owned buffer. Dropping it gives its memory back to the shard's pool.
pub struct Buf {
    memory: NonNull<u8>,
    capacity: u32,
    start: u32,
    end: u32,
}

impl Buf {
    /// A standard buffer with an empty window behind its headroom.
    pub fn standard() -> Buf {
        Buf::take(STANDARD_BYTES)
    }

    /// A large buffer with an empty window behind its headroom.
    pub fn large() -> Buf {
        Buf::take(LARGE_BYTES)
    }

    /// A buffer whose window can grow to `bytes`, of the smallest size that has room for it.
    ///
    /// # Panics
    /// Above 4 GiB less a few kilobytes.
    pub fn with_room_for(bytes: usize) -> Buf {
        let wanted = bytes.saturating_add(HEADROOM_BYTES + TAILROOM_BYTES);
        assert!(wanted <= u32::MAX as usize - PAGE_BYTES, "a buffer for {bytes} bytes is more than a buffer can be");
        if wanted <= STANDARD_BYTES {
            Buf::standard()
        } else if wanted <= LARGE_BYTES {
            Buf::large()
        } else {
            Buf::take(wanted.next_multiple_of(PAGE_BYTES))
        }
    }

    fn take(capacity: usize) -> Buf {
        let memory = POOL.with_borrow_mut(|pool| pool.take(capacity));
        Buf { memory, capacity: capacity as u32, start: HEADROOM_BYTES as u32, end: HEADROOM_BYTES as u32 }
    }

    /// The bytes of the window.
    #[inline]
    pub fn data(&self) -> &[u8] {
        // SAFETY: `start <= end <= capacity` always holds, the memory was zeroed by the system when it was mapped, and
        // this buffer owns it alone.
        unsafe { std::slice::from_raw_parts(self.memory.as_ptr().add(self.start as usize), self.len()) }
    }

    /// The bytes of the window, to be changed.
    #[inline]
    pub fn data_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `data`; the borrow is exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.memory.as_ptr().add(self.start as usize), self.len()) }
    }

    /// Bytes in the window.
    #[inline]
    pub fn len(&self) -> usize {
        (self.end - self.start) as usize
    }

    /// Whether the window is empty.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Bytes of memory behind this buffer.
    #[inline]
    pub fn capacity(&self) -> usize {
        self.capacity as usize
    }

    /// Bytes that can still be appended, the tailroom left out.
    #[inline]
    pub fn room(&self) -> usize {
        (self.capacity - self.end).saturating_sub(TAILROOM_BYTES as u32) as usize
    }

    /// Bytes that can still be put in front of the window.
    #[inline]
    pub fn headroom(&self) -> usize {
        self.start as usize
    }

    /// Takes `n` bytes (at most all) off the front of the window.
    #[inline]
    pub fn advance(&mut self, n: usize) {
        self.start += n.min(self.len()) as u32;
    }

    /// Cuts the window to its first `n` bytes.
    #[inline]
    pub fn truncate(&mut self, n: usize) {
        if n < self.len() {
            self.end = self.start + n as u32;
        }
    }

    /// Empties the window and gives it its headroom back.
    #[inline]
    pub fn clear(&mut self) {
        self.start = HEADROOM_BYTES as u32;
        self.end = HEADROOM_BYTES as u32;
    }

    /// Appends as much of `bytes` as there is room for, the tailroom left out; returns how many.
    #[inline]
    pub fn append(&mut self, bytes: &[u8]) -> usize {
        let n = bytes.len().min(self.room());
        self.write_behind(&bytes[..n]);
        n
    }

    /// Appends `bytes` into what room there is, the tailroom included. Returns false, and appends nothing, when they
    /// do not fit.
    #[inline]
    pub fn append_tail(&mut self, bytes: &[u8]) -> bool {
        if bytes.len() > (self.capacity - self.end) as usize {
            return false;
        }
        self.write_behind(bytes);
        true
    }

    fn write_behind(&mut self, bytes: &[u8]) {
        // SAFETY: both callers have checked that `end + bytes.len() <= capacity`; a `&[u8]` can't overlap memory that
        // this buffer owns exclusively.
        unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.memory.as_ptr().add(self.end as usize), bytes.len());
        }
        self.end += bytes.len() as u32;
    }

    /// Puts `bytes` in front of the window. Returns false, and changes nothing, when the headroom is too small.
    #[inline]
    pub fn prepend(&mut self, bytes: &[u8]) -> bool {
        if bytes.len() > self.start as usize {
            return false;
        }
        self.start -= bytes.len() as u32;
        // SAFETY: `start` was lowered by `bytes.len()`, which was at most `start`, so the range lies in the memory.
        unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.memory.as_ptr().add(self.start as usize), bytes.len());
        }
        true
    }

    /// The same bytes in a buffer with room for `room` more: this one if it can have that, otherwise one that has room for
    /// `larger` bytes of the window and as many more.
    pub fn with_room(mut self, room: usize, larger: usize) -> Buf {
        if self.room() >= room {
            return self;
        }
        self.compact();
        if self.room() >= room {
            return self;
        }
        let mut next = Buf::with_room_for(larger.max(self.len()) + room);
        next.append(self.data());
        next
    }

    /// Moves the window to the front of the memory behind its headroom, when it does not lie there already.
    pub fn compact(&mut self) {
        if self.start as usize <= HEADROOM_BYTES {
            return;
        }
        let len = self.len();
        // SAFETY: both ranges lie in the memory, since the target starts before the source and is as long.
        unsafe {
            std::ptr::copy(
                self.memory.as_ptr().add(self.start as usize),
                self.memory.as_ptr().add(HEADROOM_BYTES),
                len,
            );
        }
        self.start = HEADROOM_BYTES as u32;
        self.end = self.start + len as u32;
    }
}

impl Drop for Buf {
    fn drop(&mut self) {
        let (memory, capacity) = (self.memory, self.capacity as usize);
        // A thread that is ending has no pool any more.
        if POOL.try_with(|pool| pool.borrow_mut().give(memory, capacity)).is_err() {
            unmap(memory, capacity);
        }
    }
}

impl fmt::Debug for Buf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buf({} of {})", self.len(), self.capacity)
    }
}

/// A buffer lent to a receive: the kernel writes behind the window.
pub(crate) struct RecvBuf {
    buf: Buf,
    _lent: Lent,
}

/// A buffer lent to a send: the kernel reads the window.
pub(crate) struct SendBuf {
    buf: Buf,
    _lent: Lent,
}

impl RecvBuf {
    pub(crate) fn new(buf: Buf) -> RecvBuf {
        RecvBuf { buf, _lent: Lent::new() }
    }

    pub(crate) fn into_buf(self) -> Buf {
        self.buf
    }
}

impl SendBuf {
    pub(crate) fn new(buf: Buf) -> SendBuf {
        SendBuf { buf, _lent: Lent::new() }
    }

    pub(crate) fn into_buf(self) -> Buf {
        self.buf
    }
}

// SAFETY: the pointer is stable (the memory does not move with `Buf`) and `bytes_total` bytes behind it belong to this
// buffer.
unsafe impl monoio::buf::IoBufMut for RecvBuf {
    fn write_ptr(&mut self) -> *mut u8 {
        // SAFETY: `end <= capacity`.
        unsafe { self.buf.memory.as_ptr().add(self.buf.end as usize) }
    }

    fn bytes_total(&mut self) -> usize {
        self.buf.room()
    }

    unsafe fn set_init(&mut self, n: usize) {
        // The window does not change while the kernel has the buffer, so this is the room that was lent.
        let n = n.min(self.buf.room());
        self.buf.end += n as u32;
    }
}

// SAFETY: the pointer is stable and `bytes_init` bytes behind it are initialised.
unsafe impl monoio::buf::IoBuf for SendBuf {
    fn read_ptr(&self) -> *const u8 {
        self.buf.data().as_ptr()
    }

    fn bytes_init(&self) -> usize {
        self.buf.len()
    }
}

thread_local! {
    static IN_DRIVER: Cell<usize> = const { Cell::new(0) };
}

/// Buffers of this shard that the driver holds: in operations, and in operations that were given up and have not ended.
pub(crate) fn in_driver() -> usize {
    IN_DRIVER.get()
}

/// Counts one buffer that the driver holds.
struct Lent;

impl Lent {
    fn new() -> Lent {
        IN_DRIVER.set(IN_DRIVER.get() + 1);
        Lent
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        IN_DRIVER.set(IN_DRIVER.get() - 1);
    }
}

const PAGE_BYTES: usize = 4096;

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool::new()) };
}

/// Bytes of buffers that this shard has lent out at the moment.
pub fn lent_bytes() -> usize {
    POOL.with_borrow(|pool| pool.lent_bytes)
}

/// Leaves for other threads to read what is lent and what is free.
#[inline]
pub(crate) fn tell(gauges: &BufferGauges) {
    POOL.with_borrow(|pool| {
        gauges.standard_lent.set(pool.standard.lent as u64);
        gauges.standard_free.set(pool.standard.with_pages.len() as u64);
        gauges.large_lent.set(pool.large.lent as u64);
        gauges.large_free.set(pool.large.with_pages.len() as u64);
        gauges.lent_bytes.set(pool.lent_bytes as u64);
    });
}

struct Pool {
    standard: Class,
    large: Class,
    lent_bytes: usize,
}

impl Pool {
    const fn new() -> Pool {
        Pool {
            standard: Class::new(STANDARD_BYTES, FREE_STANDARD_MAX),
            large: Class::new(LARGE_BYTES, FREE_LARGE_MAX),
            lent_bytes: 0,
        }
    }

    fn take(&mut self, capacity: usize) -> NonNull<u8> {
        self.lent_bytes += capacity;
        match capacity {
            STANDARD_BYTES => self.standard.take(),
            LARGE_BYTES => self.large.take(),
            _ => map(capacity),
        }
    }

    fn give(&mut self, memory: NonNull<u8>, capacity: usize) {
        self.lent_bytes -= capacity;
        match capacity {
            STANDARD_BYTES => self.standard.give(memory),
            LARGE_BYTES => self.large.give(memory),
            _ => unmap(memory, capacity),
        }
    }
}

/// Free buffers of one size. Those beyond the bound keep their addresses and lose their pages: unmapping each would cut
/// the shard's mappings into pieces, of which a process may only have some 65,000, and hold up the page faults of every
/// other shard meanwhile.
///
/// The bound rises with what is lent: a shard with a thousand busy connections frees and takes hundreds of buffers in a
/// turn, and must not fault their pages in each time. It falls again as they are given back.
struct Class {
    bytes: usize,
    lent: usize,
    with_pages_max: usize,
    /// Last in, first out; the first has not been used for longest.
    with_pages: VecDeque<NonNull<u8>>,
    without_pages: Vec<NonNull<u8>>,
}

impl Class {
    const fn new(bytes: usize, with_pages_max: usize) -> Class {
        Class { bytes, lent: 0, with_pages_max, with_pages: VecDeque::new(), without_pages: Vec::new() }
    }

    fn take(&mut self) -> NonNull<u8> {
        self.lent += 1;
        let free = self.with_pages.pop_back().or_else(|| self.without_pages.pop());
        free.unwrap_or_else(|| map(self.bytes))
    }

    fn give(&mut self, memory: NonNull<u8>) {
        self.lent -= 1;
        let bound = self.with_pages_max.max(self.lent);
        self.with_pages.push_back(memory);
        // At most two: as much as the bound falls by, and the one that came.
        for _ in 0..2 {
            if self.with_pages.len() > bound
                && let Some(surplus) = self.with_pages.pop_front()
            {
                give_pages_back(surplus, self.bytes);
                self.without_pages.push(surplus);
            }
        }
    }
}

impl Drop for Class {
    fn drop(&mut self) {
        let free = self.with_pages.drain(..).chain(self.without_pages.drain(..));
        free.for_each(|memory| unmap(memory, self.bytes));
    }
}

/// Pages of zeroes from the system. Running out of memory ends the process, as it does for every other allocation.
fn map(bytes: usize) -> NonNull<u8> {
    // SAFETY: an anonymous private mapping touches no memory that is in use.
    let at = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            bytes,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    match NonNull::new(at.cast::<u8>()) {
        Some(memory) if at != libc::MAP_FAILED => memory,
        _ => std::alloc::handle_alloc_error(
            std::alloc::Layout::from_size_align(bytes, PAGE_BYTES).unwrap_or(std::alloc::Layout::new::<u64>()),
        ),
    }
}

/// The mapping stays; its pages go back to the system and read as zeroes when they are used again.
fn give_pages_back(memory: NonNull<u8>, bytes: usize) {
    // SAFETY: `memory` came from `map` with the same size, and nobody uses it.
    unsafe {
        libc::madvise(memory.as_ptr().cast(), bytes, libc::MADV_DONTNEED);
    }
}

fn unmap(memory: NonNull<u8>, bytes: usize) {
    // SAFETY: `memory` came from `map` with the same size, and its owner gives it up here.
    let unmapped = unsafe { libc::munmap(memory.as_ptr().cast(), bytes) };
    if unmapped != 0 {
        // The process has as many mappings as it may, and this would make one more. Its addresses are lost, its pages
        // are not.
        give_pages_back(memory, bytes);
    }
}

#[cfg(test)]
mod tests;
