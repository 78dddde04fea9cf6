"""Asks a recorded question and saves the spoken reply: ask.py question.wav reply.wav [URL]"""

import asyncio
import sys

import anygpt


async def main(question: str, answer: str, *url: str) -> None:
    async with anygpt.connect(*url) as session:
        reply = await session.ask(anygpt.Sound.read(question))
        print("you   ", reply.heard)
        print("reply ", reply.text)
        reply.sound.write(answer)


try:
    asyncio.run(main(*sys.argv[1:]))
except anygpt.AnyGPTError as error:
    sys.exit(f"ask: {error}")
