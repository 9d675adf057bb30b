# SPDX-License-Identifier: Apache-2.0
"""A certificate that nobody trusts, and clients that do not mind."""
import pathlib
import ssl
import subprocess


from earnest_server import Wire


def make_certificate(folder, name="a.example"):
    """Makes a key and a certificate in a folder. Returns the options of a listener that uses them."""
    key, certificate = pathlib.Path(folder) / f"{name}.key", pathlib.Path(folder) / f"{name}.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", f"/CN={name}",
                    "-addext", f"subjectAltName=DNS:{name}"], check=True, capture_output=True)
    return f'certificate = "{certificate}"\nkey = "{key}"'


def client(*protocols):
    """What a client offers that trusts any server and speaks these protocols (ALPN)."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(protocols)
    return context


class TlsWire(Wire):
    """HTTP/1.1 over TLS."""

    def __init__(self, port, host="127.0.0.1", context=None, name="a.example"):
        super().__init__(port, host)
        self.socket = (context or client("http/1.1")).wrap_socket(self.socket, server_hostname=name)
