# SPDX-License-Identifier: Apache-2.0
"""The servers that bench/run compares: how each is started, found, and measured from outside."""
import os
import pathlib
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import time

BENCH = pathlib.Path(__file__).resolve().parent
ROOT = BENCH.parent
RUN = ROOT / "build/bench"
WWW = RUN / "www"
SERVER_CPU, LOAD_CPU = "0", "1"
EARNEST = os.environ.get("EARNEST") or str(ROOT / "build/release/src/main/earnest")
CERTIFICATE = RUN / "certificate.pem" # and its key
FLOORS = {"1k": ["1024"], "16k": ["16384"], "64k": ["65536"], "1m": ["1048576"],
          "close": ["1024", "close"], "tls": ["1024", CERTIFICATE],
          "tls-1m": ["1048576", CERTIFICATE], "tls-close": ["1024", "close", CERTIFICATE]}


def programs():
    """Builds the floor and the generator; makes a certificate."""
    RUN.mkdir(parents=True, exist_ok=True)
    programs_of = {"floor": ["-lssl", "-lcrypto"], "load": ["-lssl", "-lcrypto"], "dav_load": [],
                   "echo": []}
    for name, libraries in programs_of.items():
        sources, program = sorted(BENCH.glob(f"{name}*.[ch]")), RUN / name
        newest = max(s.stat().st_mtime for s in sources)
        if not program.exists() or program.stat().st_mtime < newest:
            subprocess.run([os.environ.get("CC", "cc"), "-O2", "-std=gnu11", "-D_GNU_SOURCE",
                            "-pthread", "-o", program, *(s for s in sources if s.suffix == ".c"),
                            *libraries], check=True)
    if not CERTIFICATE.exists():
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost", "-days",
                        "3650", "-keyout", CERTIFICATE, "-out", RUN / "chain.pem"], check=True,
                       stderr=subprocess.DEVNULL)
        with CERTIFICATE.open("a") as both:
            both.write((RUN / "chain.pem").read_text())


def more_files():
    """The peers' configurations need 20,000 descriptors."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A running server: name is one of a comparison's, kind picks one of FLOORS.

    The comparison "wires" has HTTP/2 on its port, and TLS on another; in "proxy" it passes requests on
    to ports, by what they are called in peers/proxy.
    """

    def __init__(self, name, workers=1, kind="1k", cpu=SERVER_CPU, of="", ports=None):
        self.name, self.workers, self.of, self.ports = name, workers, of, ports or {}
        self.port = free_port()
        self.tls_port = free_port() if of == "wires" else None
        command = self.command(kind)
        if cpu:
            command = ["taskset", "-c", cpu, *command]
        self.log = open(RUN / f"{name}.out", "w")
        self.began = time.monotonic()
        self.process = subprocess.Popen(command, cwd=RUN, stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=subprocess.STDOUT,
                                        start_new_session=True)

    def command(self, kind):
        if self.name == "echo":
            return [str(RUN / "echo"), str(self.port)]
        if self.name == "floor":
            return [str(RUN / "floor"), str(self.tls_port or self.port), *FLOORS[kind]]
        conf = self.configuration()
        return {
            "earnest": [EARNEST, "serve", "-c", conf],
            "nginx": ["/usr/sbin/nginx", "-e", str(RUN / "nginx.log"), "-c", conf],
            "h2o": ["/usr/bin/h2o", "-c", conf],
            "haproxy": ["/usr/sbin/haproxy", "-db", "-f", conf],
            "lighttpd": ["/usr/sbin/lighttpd", "-D", "-f", conf],
        }[self.name]

    def configuration(self):
        text = (BENCH / "peers" / self.of / f"{self.name}.conf").read_text()
        workers = self.workers
        user = ""
        if os.getuid() == 0: # else the workers may not read what root wrote
            user = {"nginx": "user root;", "h2o": "user: root"}.get(self.name, "")
        if self.name == "lighttpd" and workers == 1:
            workers = 0 # it then serves from its first process
        return self.write(text, {"TLS_PORT": self.tls_port, "WWW": WWW, "WORKERS": workers,
                                 "USER": user, **self.ports})

    def write(self, text, values):
        """The configuration, with these values in it."""
        for key, value in {"PORT": self.port, "RUN": RUN, "NAME": self.name, **values}.items():
            text = text.replace(f"@{key}@", str(value))
        path = RUN / f"{self.name}-{self.port}.conf"
        path.write_text(text)
        return str(path)

    def wait(self, timeout=10):
        """Returns the seconds from its start to its first answer."""
        while True:
            try:
                self.ask(b"GET /1k.txt HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", 1)
                return time.monotonic() - self.began
            except OSError:
                pass
            if self.process.poll() is not None or time.monotonic() - self.began > timeout:
                self.log.flush()
                raise RuntimeError(f"{self.name} does not start: see {self.log.name}")
            time.sleep(0.0002)

    def ask(self, request, enough=1 << 30):
        """Returns the answer, or the beginning of it, as bytes."""
        answer = b""
        with socket.create_connection(("127.0.0.1", self.tls_port or self.port), 5) as s:
            if self.tls_port:
                context = ssl.create_default_context(cafile=CERTIFICATE)
                s = context.wrap_socket(s, server_hostname="localhost")
            s.sendall(request)
            while len(answer) < enough and (piece := s.recv(65536)):
                answer += piece
        if not answer:
            raise ConnectionResetError("no answer")
        return answer

    def processes(self):
        """The process and all that descend from it."""
        parents = {}
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    stat = pathlib.Path("/proc", entry, "stat").read_text()
                except OSError:
                    continue
                parents[int(entry)] = int(stat.rpartition(")")[2].split()[1])
        found = [self.process.pid]
        for pid in found:
            found += [child for child, parent in parents.items() if parent == pid]
        return found

    def cpu_ns(self, processes):
        """The time that all threads have run, to the nanosecond; exact while they sleep."""
        total = 0
        for pid in processes:
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                total += int((task / "schedstat").read_text().split()[0])
        return total

    def memory_kib(self):
        """(RSS, PSS) of all processes; of RSS what they share counts in each."""
        rss = pss = 0
        for pid in self.processes():
            for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Rss:"):
                    rss += int(line.split()[1])
                elif line.startswith("Pss:"):
                    pss += int(line.split()[1])
        return rss, pss

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(1)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.log.close()


class DavServer(Server):
    """One with a writable folder of its own. "durable" is Earnest that syncs what it is given."""

    def __init__(self, name, folder):
        self.www, self.state = folder / f"{name}/www", folder / f"{name}/state"
        shutil.rmtree(self.state, ignore_errors=True)
        self.state.mkdir(parents=True)
        self.state.chmod(0o777) # Apache serves as nobody
        super().__init__(name)

    def command(self, kind):
        program = "earnest" if self.name == "durable" else self.name
        text = (BENCH / f"peers/dav/{program}.conf").read_text()
        conf = self.write(text, {
            "WWW": self.www, "STATE": self.state,
            "DURABLE": str(self.name == "durable").lower(),
            "USER": "User nobody\nGroup nogroup" if os.getuid() == 0 else ""})
        return {
            "earnest": [EARNEST, "serve", "-c", conf],
            "apache": ["/usr/sbin/apache2", "-D", "FOREGROUND", "-f", conf],
            "lighttpd": ["/usr/sbin/lighttpd", "-D", "-f", conf],
        }[program]

    def cpu_settled_ns(self, processes):
        """cpu_ns() once nothing runs any more: what was replaced may be removed after the answer."""
        before, now = -1, self.cpu_ns(processes)
        while before != now:
            time.sleep(0.02)
            before, now = now, self.cpu_ns(processes)
        return now


class Load:
    """The generator, ready to ask a server."""

    def __init__(self, server, requests, connections=64, depth=1, status=200, pinned=True,
                 wire=None):
        port = server.tls_port if wire and wire not in ("h2c", "ws") else server.port
        self.start(port, requests, "load",
                   [connections, depth, status, *([wire] if wire else [])], pinned)

    def start(self, port, requests, program, arguments, pinned=True):
        path = RUN / "requests"
        path.write_bytes(requests)
        pin = ["taskset", "-c", LOAD_CPU] if pinned else []
        self.process = subprocess.Popen(
            [*pin, str(RUN / program), str(port), path, *map(str, arguments)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError(f"the generator failed against port {port}")

    def run(self, seconds):
        """Asks for so long. Returns (answers, errors, seconds)."""
        self.process.stdin.write(f"{seconds * 1000}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline().split()
        if len(line) != 3:
            raise RuntimeError("the generator gave up")
        return int(line[0]), int(line[1]), float(line[2])

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()


class DavLoad(Load):
    """The generator of requests that write."""

    def __init__(self, server, steps, clients):
        self.start(server.port, steps, "dav_load", [clients])
