"""Memory of the gateway over a long time; soak.sh says what, and starts this."""

import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import threading
import time

CLIENTS = int(os.environ.get("CLIENTS", 100))
SIZE = int(os.environ.get("SIZE", 1 << 30))
RATE = int(os.environ.get("RATE", 1_000_000))
SECONDS = float(os.environ.get("SECONDS", 60))
IDLE = int(os.environ.get("IDLE", 20_000))
EXCHANGE_KIB_MAX = 320
IDLE_BYTES_MAX = 1024
CHUNK = b"x" * (256 * 1024)
REQUEST = b"GET / HTTP/1.1\r\nhost: h\r\n\r\n"


def serve(connection):
    """Answers `/` at once, and `/large` with SIZE bytes."""
    try:
        pending = b""
        while True:
            got = connection.recv(65536)
            if not got:
                return
            pending += got
            while b"\r\n\r\n" in pending:
                head, pending = pending.split(b"\r\n\r\n", 1)
                if head.startswith(b"GET /large "):
                    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % SIZE)
                    left = SIZE
                    while left > 0:
                        left -= connection.send(CHUNK[: min(left, len(CHUNK))])
                else:
                    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ngood")
    except OSError:
        pass
    finally:
        connection.close()


def start_service():
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)

    def accept():
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


class Gateway:
    def __init__(self, limits):
        port = start_service()
        self.file = tempfile.NamedTemporaryFile("w", suffix=".yaml")
        self.file.write(
            f"limits: {{ {limits} }}\n"
            'listeners: [{ name: plain, address: "127.0.0.1:0" }]\n'
            f'upstreams: {{ origin: {{ endpoints: ["127.0.0.1:{port}"] }} }}\n'
            'routes: [{ name: all, match: { path: "/*" }, forward: { upstream: origin } }]\n'
            "access_log: off\n"
        )
        self.file.flush()
        command = [os.environ["BINARY"], "run", "--driver", os.environ.get("DRIVER", "auto"), self.file.name]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            print(line, end="")
            if line.startswith("{") and json.loads(line).get("event") == "started":
                host, _, number = json.loads(line)["listeners"][0]["address"].rpartition(":")
                self.address = (host, int(number))
                break
        else:
            sys.exit("the gateway did not start")
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def rss_kib(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))

    def connect(self):
        return socket.create_connection(self.address, timeout=60)

    def stop(self):
        self.process.kill()
        self.process.wait()


def ask_all(clients):
    for start in range(0, len(clients), 64):
        lot = clients[start : start + 64]
        for client in lot:
            client.sendall(REQUEST)
        for client in lot:
            got = b""
            while not got.endswith(b"good"):
                more = client.recv(4096)
                if not more:
                    sys.exit(f"closed without an answer: {got!r}")
                got += more


def readers():
    gateway = Gateway("connections: 2000")
    warm = [gateway.connect() for _ in range(CLIENTS)]
    for _ in range(20):
        ask_all(warm)
    for client in warm:
        client.close()
    before = highest = gateway.rss_kib()
    clients = [gateway.connect() for _ in range(CLIENTS)]
    read = dict.fromkeys(clients, 0)
    for client in clients:
        client.sendall(b"GET /large HTTP/1.1\r\nhost: h\r\n\r\n")
    begun = time.monotonic()
    ended = 0
    while (passed := time.monotonic() - begun) < SECONDS and ended < len(clients):
        for client in clients:
            # As much as its rate allows by now.
            owed = min(int(passed * RATE), SIZE) - read[client]
            if owed > 0:
                got = client.recv(owed)
                if not got:
                    sys.exit(f"an answer ended after {read[client]} bytes")
                read[client] += len(got)
        ended = sum(n >= SIZE for n in read.values())
        highest = max(highest, gateway.rss_kib())
        time.sleep(0.01)
    passed = time.monotonic() - begun
    grown = highest - before
    rate = sum(read.values()) / len(clients) / passed
    print(f"readers: {len(clients)} for {passed:.0f} s at {rate / 1e6:.2f} MB/s each: "
          f"{before} KiB before, {highest} KiB at most, {grown / len(clients):.0f} KiB each")
    gateway.stop()
    return grown <= EXCHANGE_KIB_MAX * len(clients)


def idle(at_once=False):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    # The service's sockets are in this process too.
    count = IDLE if hard == resource.RLIM_INFINITY else min(IDLE, hard - 1000)
    if count < IDLE:
        print(f"SCALED DOWN: {count} connections and not {IDLE}: the limit on descriptors is {hard}")
    gateway = Gateway(f"connections: {count + 100}, idle_timeout: 10m, header_timeout: 10m")
    warm = [gateway.connect() for _ in range(64)]
    for _ in range(20):
        ask_all(warm)
    before = gateway.rss_kib()
    clients = []
    while len(clients) < count - len(warm):
        # At once: all connect before the first asks, each busy for its first moment.
        lot = count - len(warm) if at_once else 64
        new = [gateway.connect() for _ in range(min(lot, count - len(warm) - len(clients)))]
        ask_all(new)
        clients += new
    # What a busy connection has goes back within a second.
    time.sleep(3)
    after = gateway.rss_kib()
    each = (after - before) * 1024 / len(clients)
    print(f"{'burst' if at_once else 'idle'}: {len(clients)} connections: {before} KiB before, {after} KiB after, {each:.0f} bytes each")
    ask_all(clients)
    ask_all(warm)
    print("every one answered again")
    gateway.stop()
    return each <= IDLE_BYTES_MAX and before <= 32 * 1024


if __name__ == "__main__":
    modes = {"readers": readers, "idle": idle, "burst": lambda: idle(at_once=True)}
    results = {name: modes[name]() for name in sys.argv[1:]}
    print(json.dumps(results))
    sys.exit(0 if all(results.values()) else 1)
