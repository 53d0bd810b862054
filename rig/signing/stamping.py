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
        try:
            known = urllib.parse.urlsplit(url).scheme in ("http", "https")
        except ValueError:  # such as half of an IPv6 address
            known = False
        if not known:
            raise BenchFileError(
                f"{url!r} is no address of a time-stamping authority; allowed are http:// and https://"
            )
        self.url = url

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """Send a question and return the answer; TimestampRequestError where there is none."""
        data = await asyncio.to_thread(self._asked, req.dump())
        try:
            answer = tsp.TimeStampResp.load(data)
            status, token = answer["status"]["status"].native, answer["time_stamp_token"].native
        except (ValueError, KeyError, TypeError) as error:
            raise TimestampRequestError("what it answered is no time stamp") from error
        if token is None:
            raise TimestampRequestError(f"it answered {status}, without a time stamp")
        return answer

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
