"""Passes a request to the application: counts what it reads, and checks its answer before any of it is sent."""

from __future__ import annotations

from collections.abc import Callable

from mmner_core.serving.asgi import Application, Message, Receive, Refusal, Send
from mmner_core.serving.faults import user_message


async def hand_on(
    app: Application,
    scope: Message,
    receive: Receive,
    send: Send,
    *,
    limit: int,
    too_big: Refusal,
    judge: Callable[[Message], Refusal | None],
    blame: Callable[[Exception], Refusal | None] = lambda error: None,
) -> Refusal | None:
    """Pass a request on; return why it is refused after all, or None if it was answered.

    An error that nothing else caught ends here, or the web server would write all that it says into the log.

    Args:
        app: the application.
        scope: the request.
        receive: reads the request's body.
        send: sends the answer.
        limit: bytes that the body may have; a request need not announce its length.
        too_big: what to say beyond it.
        judge: says of the beginning of an answer what to say instead, and may change its headers.
        blame: says of an error what to say if it is the request's fault.
    """
    read, answered = 0, False
    refusal: Refusal | None = None

    async def receive_counted() -> Message:
        nonlocal read, refusal
        if refusal is None:
            message = await receive()
            read += len(message.get("body", b""))
            if read <= limit:
                return message
            refusal = too_big
        return {"type": "http.disconnect"}

    async def send_judged(message: Message) -> None:
        nonlocal answered, refusal
        if not answered:
            refusal = refusal or judge(message)
            if refusal:
                raise ConnectionError  # as if the visitor had gone: an answer that streams would not end by itself
        answered = True
        await send(message)

    try:
        await app(scope, receive_counted, send_judged)
    except Exception as error:
        if answered:
            user_message(error)
        elif refusal is None:
            return blame(error) or Refusal(500, user_message(error))
    return None if answered else refusal
