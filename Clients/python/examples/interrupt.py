"""Interrupts a reply and says how much of it was heard, as a voice assistant does when the person speaks: the daemon takes
the rest out of the conversation. interrupt.py question.wav [URL]"""

import asyncio
import sys

import anygpt


async def main(question: str, *url: str) -> None:
    async with anygpt.connect(*url) as session:
        await session.speak(anygpt.Sound.read(question))
        await session.commit()
        await session.respond()
        heard = 0.0
        async for event in session:
            if isinstance(event, anygpt.ReplyAudio) and heard == 0:
                heard = anygpt.Sound(event.pcm).seconds
                await session.cancel()
                await session.truncate(event.item_id, round(heard * 1000))
            elif isinstance(event, anygpt.ResponseDone):
                print(f"the reply was {event.status} after {heard:.2f} s")
            elif isinstance(event, anygpt.ItemTruncated):
                print(f"{event.audio_end_ms} ms of it stay in the conversation")
                return
            elif isinstance(event, anygpt.ErrorEvent):
                # The reply may have ended before it could be interrupted.
                if event.code != "response_cancel_not_active":
                    raise anygpt.ServerError(event.code, event.message)


try:
    asyncio.run(main(*sys.argv[1:]))
except anygpt.AnyGPTError as error:
    sys.exit(f"interrupt: {error}")
