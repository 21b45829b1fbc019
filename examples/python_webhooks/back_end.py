"""A chat whose server side is this program: Tidings asks it over HTTP what to answer.

What clients find:

| frame | what it does |
|---|---|
| SUBSCRIBE /topic/rooms/tea | hears what is said in the room tea |
| SUBSCRIBE /app/rooms/tea | gets what was said there, once |
| SEND /app/rooms/tea with {"text": "hello"} | says something there |
| SUBSCRIBE /user/queue/whispers | hears what is meant for this user alone |
| SEND /app/whisper/bob with {"text": "hello"} | tells only bob, in all windows that he has open |
| SUBSCRIBE /topic/present | hears who comes and goes |
| SUBSCRIBE /user/queue/errors | hears what was wrong with what it sent, and stays connected |
"""

from collections import Counter, deque
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, FastAPI, HTTPException
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, StringConstraints, ValidationError

from publish import publish
from webhook import Told, genuine

# Lines that a room keeps, and rooms that are kept; what is said in others is heard, but not kept.
MAX_LINES = 50
MAX_ROOMS = 1_000

app = FastAPI()
rooms: dict[str, deque] = {}
present: Counter = Counter()

FromTidings = Annotated[Told, Depends(genuine)]


class Saying(BaseModel):
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000)]


@app.post("/rooms")
async def room(told: FromTidings):
    name = told.variable("room")
    if told.kind == "subscribe":
        # A body without a destination answers the subscription.
        return list(rooms.get(name, []))
    line = {"from": told.user, "text": saying(told).text}
    if name in rooms or len(rooms) < MAX_ROOMS:
        rooms.setdefault(name, deque(maxlen=MAX_LINES)).append(line)
    return JSONResponse(line, headers={"Tidings-Send-To": quote(f"/topic/rooms/{name}")})


@app.post("/whisper")
async def whisper(told: FromTidings):
    line = {"from": told.user, "text": saying(told).text}
    to = {"Tidings-Send-To-User": "queue/whispers", "Tidings-User": quote(told.variable("name"))}
    return JSONResponse(line, headers=to)


@app.post("/events")
async def event(told: FromTidings):
    """Told one at a time, in order; so what is published here is in order, too."""
    happened = told.json()
    user = happened.get("user")
    if user is not None and happened["event"] in ("connected", "disconnected"):
        present[user] += 1 if happened["event"] == "connected" else -1
        if present[user] <= 0:
            del present[user]
        await run_in_threadpool(publish, "/topic/present", sorted(present))
    return Response(status_code=204)


def saying(told: Told) -> Saying:
    """Read by hand: FastAPI would refuse a frame that does not say that it is JSON. The client reads the detail."""
    try:
        return Saying.model_validate_json(told.body)
    except ValidationError as error:
        first = error.errors()[0]
        raise HTTPException(422, f"{'.'.join(map(str, first['loc'])) or 'body'}: {first['msg']}") from None
