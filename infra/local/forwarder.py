"""A plain URL in front of the local API, so that a tunnel can point at it.

The local API tells deployments apart by the Host header. This passes what Intercom and bots call on
with that header, byte for byte otherwise: the signature is over the bytes.
"""

import http.client
import http.server
import sys

PASSED_ON = ("content-type", "user-agent", "x-hub-signature", "webhook-id", "webhook-timestamp", "webhook-signature")
BODY_LIMIT_BYTES = 10 * 1024 * 1024


def handler(api_host, port):
    """The request handler that passes requests on to `api_host` on a loop-back port."""

    class Forward(http.server.BaseHTTPRequestHandler):
        def _pass_on(self):
            length = int(self.headers.get("content-length") or 0)
            if length > BODY_LIMIT_BYTES:
                self.send_error(413)
                return
            body = self.rfile.read(length)
            headers = {name: self.headers[name] for name in PASSED_ON if name in self.headers}
            upstream = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            try:
                upstream.request(self.command, self.path, body, {**headers, "host": api_host})
                answer = upstream.getresponse()
                content = answer.read()
            except OSError:
                self.send_error(502)
                return
            finally:
                upstream.close()
            self.send_response(answer.status)
            self.send_header("content-type", answer.getheader("content-type", "text/plain"))
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_POST = do_HEAD = do_GET = _pass_on

    return Forward


if __name__ == "__main__":
    listen, host, target = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    http.server.ThreadingHTTPServer(("127.0.0.1", listen), handler(host, target)).serve_forever()
