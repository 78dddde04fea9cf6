"""Asks a written question: write.py "what is the capital of france" [URL]"""

import asyncio
import sys

import anygpt


async def main(question: str, *url: str) -> None:
    async with anygpt.connect(*url) as session:
        print((await session.ask(question)).text)


try:
    asyncio.run(main(*sys.argv[1:]))
except anygpt.AnyGPTError as error:
    sys.exit(f"write: {error}")
