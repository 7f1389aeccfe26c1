"""Reloads under load: connections, WebSockets, a slow upload and a slow download must not notice. reload.sh says what."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

BINARY = os.environ["BINARY"]
SECONDS = float(os.environ.get("SECONDS", 20))
RELOADS = int(os.environ.get("RELOADS", 50))
CONNECTIONS = int(os.environ.get("CONNECTIONS", 64))
TUNNELS = int(os.environ.get("TUNNELS", 20))
ROUTES = int(os.environ.get("ROUTES", 10_000))
MANY = int(os.environ.get("MANY", 500))
SLOW_BYTES = int(SECONDS * 50_000)
WRK_CORE, GATEWAY_CORE = "1", 0


def free_ports(n):
    """Ports that nobody has at this moment."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Process:
    """A gateway and what it says."""

    def __init__(self, text, folder, name):
        self.path = os.path.join(folder, name + ".yaml")
        self.write(text)
        self.lines = []
        self.news = threading.Condition()
        self.child = subprocess.Popen([BINARY, "run", self.path], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        threading.Thread(target=self.read, daemon=True).start()
        line = self.wait(lambda line: '"event":"started"' in line, 0)
        self.port = int(re.search(r'127\.0\.0\.1:(\d+)', line).group(1))

    def write(self, text):
        # As an editor does it: never half a file.
        with open(self.path + ".new", "w") as file:
            file.write(text)
        os.rename(self.path + ".new", self.path)

    def read(self):
        for line in self.child.stderr:
            with self.news:
                self.lines.append(line.rstrip())
                self.news.notify_all()

    def wait(self, wanted, since):
        """The first line from `since` on that is wanted."""
        deadline = time.monotonic() + 60
        with self.news:
            while True:
                for line in self.lines[since:]:
                    if wanted(line):
                        return line
                if self.child.poll() is not None or time.monotonic() > deadline:
                    sys.exit("the gateway did not say what was waited for:\n" + "\n".join(self.lines[-20:]))
                self.news.wait(1)

    def reload(self, text):
        """Whether it was taken."""
        self.write(text)
        since = len(self.lines)
        self.child.send_signal(signal.SIGHUP)
        return " done " in self.wait(lambda line: re.search(r" reload of .* (done|failed) ", line), since)

    def rss_kib(self):
        with open(f"/proc/{self.child.pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))

    def stop(self):
        self.child.terminate()
        self.child.wait(30)


def serve(connection):
    """Echoes a tunnel, takes an upload, gives a slow download."""
    try:
        pending = b""
        while b"\r\n\r\n" not in pending:
            pending += connection.recv(65536)
        head, rest = pending.split(b"\r\n\r\n", 1)
        if head.startswith(b"GET /live "):
            connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n" + rest)
            while True:
                got = connection.recv(65536)
                if not got:
                    return
                connection.sendall(got)
        elif head.startswith(b"POST "):
            got = len(rest)
            while got < SLOW_BYTES:
                got += len(connection.recv(65536))
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ngood")
        else:
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % SLOW_BYTES)
            for _ in range(int(SECONDS * 10)):
                connection.sendall(b"x" * 5000)
                time.sleep(0.1)
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


class Failures:
    def __init__(self):
        self.all = []

    def check(self, good, what):
        if not good:
            self.all.append(what)


def connect(port):
    stream = socket.create_connection(("127.0.0.1", port))
    stream.settimeout(30)
    return stream


def tunnel(port, until, failures, number):
    try:
        stream = connect(port)
        stream.sendall(b"GET /live HTTP/1.1\r\nhost: h\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n")
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += stream.recv(4096)
        count = 0
        while time.monotonic() < until:
            message = b"%d-%d" % (number, count)
            stream.sendall(message)
            got = b""
            while len(got) < len(message):
                piece = stream.recv(4096)
                if not piece:
                    return failures.check(False, f"tunnel {number} was closed after {count} messages")
                got += piece
            failures.check(got == message, f"tunnel {number} sent back {got!r}")
            count += 1
            # Some are silent for so long that they wait without a buffer.
            time.sleep(0.05 if number % 2 else 0.7)
    except OSError as error:
        failures.check(False, f"tunnel {number}: {error}")


def upload(port, failures):
    try:
        stream = connect(port)
        stream.sendall(b"POST /slow HTTP/1.1\r\nhost: h\r\ncontent-length: %d\r\n\r\n" % SLOW_BYTES)
        for _ in range(int(SECONDS * 10)):
            stream.sendall(b"x" * 5000)
            time.sleep(0.1)
        answer = stream.recv(4096)
        failures.check(b" 200 " in answer.split(b"\r\n")[0], f"the upload got {answer[:60]!r}")
    except OSError as error:
        failures.check(False, f"upload: {error}")


def download(port, failures):
    try:
        stream = connect(port)
        stream.sendall(b"GET /slow HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n")
        got = 0
        while piece := stream.recv(65536):
            got += len(piece)
        failures.check(got > SLOW_BYTES, f"the download ended after {got} bytes")
    except OSError as error:
        failures.check(False, f"download: {error}")


def wrk(port, seconds):
    """Requests, p99 in milliseconds, and what went wrong."""
    command = ["taskset", "-c", WRK_CORE, "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:.0f}s", "--latency", f"http://127.0.0.1:{port}/"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    units = {"us": 0.001, "ms": 1.0, "s": 1000.0}
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", output).groups()
    wrong = [line.strip() for line in output.splitlines() if "Socket errors" in line or "Non-2xx" in line]
    return int(re.search(r"(\d+) requests in", output).group(1)), float(number) * units[unit], wrong


def accepted(port):
    """Connections that the gateway has accepted so far, by its own metrics."""
    stream = connect(port)
    stream.sendall(b"GET /metrics HTTP/1.1\r\nhost: 127.0.0.1:%d\r\nconnection: close\r\n\r\n" % port)
    text = b""
    while piece := stream.recv(65536):
        text += piece
    found = re.findall(rb'^ringgate_connections_accepted_total\{[^}]*listener="plain"[^}]*\} (\d+)', text, re.M)
    return sum(int(n) for n in found)


def under_load(folder):
    """50 reloads in 20 s, each with a route, a listener and an endpoint that come or go; every fifth file is bad."""
    origins = []
    for name in ("origin-a", "origin-b"):
        origins.append(
            Process(
                "runtime: { cores: [%s] }\nlimits: { connections: 2000 }\nlisteners: [{ name: plain, address: \"127.0.0.1:0\" }]\n"
                "routes: [{ name: all, match: { path: \"/*\" }, respond: { body: \"%s\" } }]\naccess_log: off\n" % (WRK_CORE, "x" * 1024),
                folder,
                name,
            )
        )
    service = start_service()
    (spare, admin) = free_ports(2)

    def text(step, bad=False):
        odd = step % 2 == 1
        endpoints = [f'"127.0.0.1:{origin.port}"' for origin in (origins if odd else origins[:1])]
        listeners = f', {{ name: extra, address: "127.0.0.1:{spare}" }}' if odd else ""
        route = f'  - {{ name: extra-{step}, match: {{ path: "/extra/{step}" }}, forward: {{ upstream: origin }} }}\n' if odd else ""
        return (
            f"runtime: {{ cores: [{GATEWAY_CORE}] }}\nlimits: {{ connections: 2000, body_bytes: 100MiB }}\n"
            f'admin: {{ address: "127.0.0.1:{admin}" }}\n'
            f'listeners: [{{ name: plain, address: "127.0.0.1:0" }}{listeners}]\n'
            f"upstreams:\n  origin: {{ endpoints: [{', '.join(endpoints)}] }}\n"
            f'  slow: {{ endpoints: ["127.0.0.1:{service}"] }}\n'
            f"routes:\n{route}"
            '  - { name: live, match: { path: "/live" }, forward: { upstream: slow } }\n'
            '  - { name: slow, match: { path: "/slow" }, forward: { upstream: slow } }\n'
            f'  - {{ name: all, match: {{ path: "/*" }}, forward: {{ upstream: {"nowhere" if bad else "origin"} }} }}\n'
            "access_log: off\n"
        )

    gateway = Process(text(0), folder, "gateway")
    port = gateway.port
    wrk(port, 2)
    quiet = wrk(port, SECONDS / 2)
    print(f"quiet: {quiet[0]} requests, p99 {quiet[1]:.2f} ms", flush=True)
    failures = Failures()
    until = time.monotonic() + SECONDS
    others = [threading.Thread(target=tunnel, args=(port, until, failures, n)) for n in range(TUNNELS)]
    others += [threading.Thread(target=upload, args=(port, failures)), threading.Thread(target=download, args=(port, failures))]
    for thread in others:
        thread.start()
    loaded = []
    load = threading.Thread(target=lambda: loaded.append(wrk(port, SECONDS)))
    load.start()
    time.sleep(0.5)
    before = accepted(admin)
    good = bad = 0
    for step in range(1, RELOADS + 1):
        begun = time.monotonic()
        broken = step % 5 == 0
        taken = gateway.reload(text(step, broken))
        failures.check(taken != broken, f"reload {step} was {'taken' if taken else 'refused'}")
        good, bad = good + taken, bad + (not taken)
        if taken and step % 2 == 1:
            try:
                connect(spare).close()
            except OSError as error:
                failures.check(False, f"the added listener: {error}")
        time.sleep(max(0, (SECONDS - 1) / RELOADS - (time.monotonic() - begun)))
    after = accepted(admin)
    load.join()
    for thread in others:
        thread.join()
    requests, p99, wrong = loaded[0]
    print(f"with {good} reloads and {bad} bad files: {requests} requests, p99 {p99:.2f} ms ({p99 / quiet[1]:.2f} x quiet)")
    print(f"connections accepted meanwhile: {after - before}")
    failures.check(not wrong, f"wrk: {wrong}")
    failures.check(after == before, f"{after - before} connections were made anew: theirs were closed")
    failures.check(p99 <= 2 * quiet[1], f"p99 is {p99 / quiet[1]:.2f} x the quiet one")
    for process in [gateway, *origins]:
        process.stop()
    return failures.all


def memory(folder):
    """500 reloads of 10,000 routes: memory is flat."""

    def text(step):
        routes = "".join(
            f'  - {{ name: r{n}, match: {{ path: "/{step % 7}/{n}/*" }}, respond: {{ body: "{n}" }} }}\n' for n in range(ROUTES)
        )
        return (
            f"runtime: {{ cores: [{GATEWAY_CORE}] }}\nlimits: {{ connections: 2000 }}\n"
            'listeners: [{ name: plain, address: "127.0.0.1:0" }]\nroutes:\n' + routes + "access_log: off\n"
        )

    failures = Failures()
    gateway = Process(text(0), folder, "memory")
    client = connect(gateway.port)
    sizes, took = [], []
    for step in range(1, MANY + 1):
        begun = time.monotonic()
        failures.check(gateway.reload(text(step)), f"reload {step} was refused")
        took.append(time.monotonic() - begun)
        client.sendall(b"GET /%d/5/x HTTP/1.1\r\nhost: h\r\n\r\n" % (step % 7))
        answer = client.recv(4096)
        failures.check(b" 200 " in answer.split(b"\r\n")[0], f"after reload {step}: {answer[:40]!r}")
        sizes.append(gateway.rss_kib())
        if step % 50 == 0:
            print(f"{step} reloads: {sizes[-1]} KiB", flush=True)
    early, late = max(sizes[10 : MANY // 5]), max(sizes[-MANY // 5 :])
    print(f"{MANY} reloads of {ROUTES} routes: at most {early} KiB in the first fifth, {late} KiB in the last; "
          f"{1000 * sorted(took)[len(took) // 2]:.0f} ms each, reading and compiling included")
    failures.check(late <= early * 1.05, f"memory grew from {early} to {late} KiB")
    gateway.stop()
    return failures.all


def main():
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[1:]:
            wrong += {"load": under_load, "memory": memory}[name](folder)
    for what in wrong[:20]:
        print("FAILED:", what)
    sys.exit(1 if wrong else 0)


main()
