"""A time stamp by RFC 3161 over HTTP, by what Python brings; pyHanko makes the question and checks the answer.

Not responsible for whom to trust (`judging`).
"""

from __future__ import annotations

import asyncio
import http.client
import urllib.parse
import urllib.request

from asn1crypto import tsp
from pyhanko.sign.timestamps import TimeStamper, TimestampRequestError

from rig.errors import BenchFileError

_QUESTION, _ANSWER = "application/timestamp-query", "application/timestamp-reply"
_LONGEST_ANSWER = 2**20
TIMEOUT_S = 20


class HttpStamper(TimeStamper):
    """Asks the time-stamping authority at a URL, http or https; BenchFileError for any other."""

    def __init__(self, url: str) -> None:
        super().__init__()
        if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
            raise BenchFileError(
                f"{url!r} is no address of a time-stamping authority; allowed are http:// and https://"
            )
        self.url = url

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """Send a question and return the answer; TimestampRequestError where there is none."""
        return tsp.TimeStampResp.load(await asyncio.to_thread(self._asked, req.dump()))

    def _asked(self, question: bytes) -> bytes:
        request = urllib.request.Request(self.url, question, {"Content-Type": _QUESTION, "Accept": _ANSWER})
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
                kind, data = answer.headers.get_content_type(), answer.read(_LONGEST_ANSWER)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise TimestampRequestError(str(error) or type(error).__name__) from error
        if kind != _ANSWER:
            raise TimestampRequestError(f"it answered with {kind}, which is no time stamp")
        return bytes(data)
