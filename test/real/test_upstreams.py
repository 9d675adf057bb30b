# SPDX-License-Identifier: Apache-2.0
"""Servers that others wrote, behind the gateway: what they take for a request we have logged as one."""
import contextlib
import os
import pathlib
import re
import socket
import subprocess
import sys
import time

import pytest

from earnest_server import Server, await_port, free_port
from real import tool
from smuggling import cases, inner, logged

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "scenario"))
from test_r01_framing import R01, chunks, hosts  # noqa: E402 pylint: disable=wrong-import-position

NGINX = """
daemon off;
master_process off;
pid FOLDER/nginx.pid;
error_log FOLDER/nginx.log;
events {}
http {
    log_format line '$request';
    access_log FOLDER/seen line;
    TEMP
    server {
        listen 127.0.0.1:PORT;
        location / { return 200 "ok"; }
    }
}
"""
TEMP = "".join(f"{kind}_temp_path FOLDER/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
APACHE = """
ServerRoot FOLDER
PidFile FOLDER/httpd.pid
ServerName a.example
Listen 127.0.0.1:PORT
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
ErrorLog FOLDER/apache.log
LogFormat "%r" line
CustomLog FOLDER/seen line
DocumentRoot FOLDER
"""
HAPROXY = """
global
    log stdout format raw local0
defaults
    mode http
    timeout connect 5s
    timeout client 5s
    timeout server 5s
frontend front
    bind 127.0.0.1:PORT
    log global
    log-format "%r"
    http-request wait-for-body time 2s
    http-request return status 200 content-type text/plain string ok
"""
NODE = """
require("http").createServer((request, response) => {
    console.log(`${request.method} ${request.url} HTTP/1.1`);
    request.resume();
    request.on("end", () => response.end("ok"));
}).listen(PORT, "127.0.0.1");
"""
PYTHON = """
import http.server
import sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def handle_any(self):
        print(self.requestline, flush=True)
        length = int(self.headers.get("Content-Length", 0))
        if self.headers.get("Transfer-Encoding"):
            while size := int(self.rfile.readline().split(b";")[0], 16):
                self.rfile.read(size + 2)
            while self.rfile.readline().strip():
                pass
        self.rfile.read(length)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else b"ok")
    do_GET = do_POST = do_HEAD = do_PUT = do_DELETE = do_OPTIONS = do_FROB = handle_any
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
"""


def written(folder, name, text, port):
    path = folder / name
    path.write_text(text.replace("TEMP", TEMP).replace("FOLDER", str(folder)).replace("PORT", str(port)), encoding="utf-8")
    return path


PEERS = {
    "nginx": lambda folder, port: [tool("nginx", "nginx-light"), "-c", written(folder, "nginx.conf", NGINX, port),
                                   "-e", folder / "nginx.log"],
    "apache": lambda folder, port: [tool("apache2"), "-X", "-d", folder, "-f", written(folder, "httpd.conf", APACHE, port)],
    "haproxy": lambda folder, port: [tool("haproxy"), "-db", "-f", written(folder, "haproxy.cfg", HAPROXY, port)],
    "node": lambda folder, port: [tool("node", "nodejs"), written(folder, "server.js", NODE, port)],
    "python": lambda folder, port: [sys.executable, written(folder, "server.py", PYTHON, port)],
}


@contextlib.contextmanager
def upstream(folder, name):
    """The port of a server, whose requests are lines of the file seen."""
    port = free_port()
    command = {**PEERS, **PEERS_H2}[name](folder, port)
    with open(folder / "seen", "ab") as seen, open(folder / "complaints", "wb") as complaints:
        process = subprocess.Popen([str(word) for word in command], stdout=seen, stderr=complaints, cwd=folder)
    try:
        await_port(port, process, folder / "complaints")
        yield port
        time.sleep(0.3)  # logs are written late
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.parametrize("name", PEERS)
def test_smuggling(tmp_path, name, record_property):
    with upstream(tmp_path, name) as port:
        config = (f'route "/" {{ proxy = {{ "http://127.0.0.1:{port}" }} }}\n'
                  "limits { upstream_answer_ms = 3000 upstream_failures_max = 1000000 }")
        with Server(tmp_path, config) as server:
            every = list(cases([*R01, *chunks(), *hosts()]))
            for _, message, victim in every:
                with server.connect() as wire:
                    wire.send(message + inner(victim))
                    wire.send(inner(victim + b"/last"))
                    with contextlib.suppress(OSError):
                        wire.socket.shutdown(socket.SHUT_WR)
                        while wire.more():
                            pass
    ours = {(method, target) for method, target, _ in logged(server.log_path.read_text())}
    seen = re.findall(r"^(\S+) (\S+) HTTP", (tmp_path / "seen").read_text(errors="replace"), re.M)
    record_property("seen", len(seen))
    assert len(seen) > 100
    for method, target in seen:
        assert not target.startswith("/evil"), "content was taken for a request"
        if target.startswith(("/c", "/victim")):
            assert (method, target) in ours, "a request that we did not log"


# ---- over HTTP/2

NGINX_H2 = NGINX.replace("listen 127.0.0.1:PORT;", "listen 127.0.0.1:PORT http2;").replace(
    'location / { return 200 "ok"; }', "location / { root FOLDER; }")
H2O = """
http1-upgrade-to-http2: ON
listen:
  host: 127.0.0.1
  port: PORT
hosts:
  default:
    paths:
      "/":
        file.dir: FOLDER
num-threads: 1
access-log: FOLDER/seen
error-log: FOLDER/h2o.log
pid-file: FOLDER/h2o.pid
USER
"""
PEERS_H2 = {
    "nginx over HTTP/2": lambda folder, port: [tool("nginx", "nginx-light"), "-c",
                                               written(folder, "nginx.conf", NGINX_H2, port),
                                               "-e", folder / "nginx.log"],
    "h2o over HTTP/2": lambda folder, port: [
        tool("h2o"), "-c", written(folder, "h2o.conf", H2O.replace("USER", "user: root" if os.getuid() == 0 else ""), port)],
    "nghttpd": lambda folder, port: [tool("nghttpd", "nghttp2-server"), "--no-tls", "-d", folder, "--echo-upload", port],
}


@pytest.mark.parametrize("name", PEERS_H2)
def test_http2(tmp_path, name, record_property):
    """Many requests at once, over connections of HTTP/2; and one that is not there is told."""
    folder = tmp_path / "peer"
    folder.mkdir()
    for each in (tmp_path, *tmp_path.parents[:3], folder):
        each.chmod(0o755)
    body = bytes(range(256)) * 8192
    (folder / "big.bin").write_bytes(body)
    (folder / "small.txt").write_text("ok")

    def get(server, target, method="GET", content=b""):
        with server.connect() as wire:
            length = b"Content-Length: %d\r\n" % len(content) if content else b""
            wire.send(f"{method} {target} HTTP/1.1\r\nHost: a.example\r\n".encode() + length + b"\r\n" + content)
            return wire.answer(method)

    with upstream(folder, name) as port:
        config = f'route "/" {{ proxy = {{ "http://127.0.0.1:{port}" }} http2 = true }}\nlimits {{ upstream_failures_max = 1000 }}'
        with Server(tmp_path, config) as server:
            assert get(server, "/big.bin").content == body
            assert get(server, "/none").status == 404
            head = get(server, "/big.bin", "HEAD")
            assert head.status == 200 and head.field("content-length") == str(len(body))
            if name == "nghttpd":
                assert get(server, "/small.txt", "POST", body).content == body
            wires = [server.connect() for _ in range(300)]  # more than it takes at once
            for i, wire in enumerate(wires):
                target = b"/big.bin" if i % 20 == 0 else b"/small.txt"
                wire.send(b"GET " + target + b" HTTP/1.1\r\nHost: a.example\r\n\r\n")
            for i, wire in enumerate(wires):
                answer = wire.answer("GET")
                assert answer.status == 200 and answer.content == (body if i % 20 == 0 else b"ok")
                wire.socket.close()
        assert server.rules().count("relayed") == 303 + (name == "nghttpd")
    record_property("answers", 303)
    with Server(tmp_path, config) as server:
        answer = get(server, "/small.txt")
        assert answer.status == 502 and "connection_refused" in answer.field("proxy-status")
