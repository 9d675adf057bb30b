# SPDX-License-Identifier: Apache-2.0
"""A certificate that nobody trusts, and clients that do not mind."""
import pathlib
import socket
import ssl
import subprocess


from earnest_server import PATIENCE_S, Wire


def openssl(*words):
    return subprocess.run(["openssl", *words], check=True, capture_output=True).stdout


def make_certificate(folder, name="a.example"):
    """Makes a key and a certificate in a folder. Returns the options of a listener that uses them."""
    key, certificate = pathlib.Path(folder) / f"{name}.key", pathlib.Path(folder) / f"{name}.pem"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
            "-out", certificate, "-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}")
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


class Authority:
    """It signs the certificates of servers and of clients, in a folder.

    A certificate is its path without the ending: NAME.pem and NAME.key are there.
    """

    def __init__(self, folder, name="authority"):
        self.folder = pathlib.Path(folder)
        self.path = self.folder / name
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", f"/CN={name}", "-keyout", f"{self.path}.key", "-out", f"{self.path}.pem")
        self.serial = 0

    def issue(self, name, *hosts, rsa=False):
        """A certificate for hosts; without any it is a client's."""
        self.serial += 1
        path = self.folder / name
        kind = ["rsa:2048"] if rsa else ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        extensions = path.with_suffix(".ext")
        names = ",".join(f"DNS:{host}" for host in hosts)
        extensions.write_text(f"subjectAltName={names}\nextendedKeyUsage=serverAuth\n" if hosts
                              else "extendedKeyUsage=clientAuth\n", encoding="ascii")
        openssl("req", "-newkey", *kind, "-nodes", "-subj", f"/CN={name}", "-keyout", f"{path}.key",
                "-out", f"{path}.csr")
        openssl("x509", "-req", "-in", f"{path}.csr", "-CA", f"{self.path}.pem", "-CAkey", f"{self.path}.key",
                "-set_serial", str(self.serial), "-days", "2", "-extfile", extensions, "-out", f"{path}.pem")
        return path

    def vouch(self, path):
        """An OCSP response that says that the certificate issued last is good. Returns its path."""
        index, request, response = (path.with_suffix(end) for end in (".index", ".request", ".ocsp"))
        index.write_text(f"V\t490101000000Z\t\t{self.serial:02X}\tunknown\t/CN={path.name}\n", encoding="ascii")
        openssl("ocsp", "-issuer", f"{self.path}.pem", "-cert", f"{path}.pem", "-reqout", request)
        openssl("ocsp", "-index", index, "-CA", f"{self.path}.pem", "-rsigner", f"{self.path}.pem",
                "-rkey", f"{self.path}.key", "-reqin", request, "-respout", response, "-ndays", "2")
        return response


def listen(*paths, more=""):
    """The options of a listener that has these certificates."""
    files = [", ".join(f'"{path}{end}"' for path in paths) for end in (".pem", ".key")]
    return f"certificate = {{ {files[0]} }}\nkey = {{ {files[1]} }}\n{more}"


def bytes_of(path):
    """The certificate as a client gets it (DER)."""
    return ssl.PEM_cert_to_DER_cert(pathlib.Path(f"{path}.pem").read_text(encoding="ascii"))


def shake(port, context=None, host="a.example", session=None):
    """A connection whose handshake is done."""
    plain = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
    try:
        return (context or client("http/1.1")).wrap_socket(plain, server_hostname=host, session=session)
    except BaseException:
        plain.close()
        raise
