"""The chat model's fixed texts: what stands around questions and answers. Words and marks are the official model's."""

SYSTEM = (
    "You are an AI assistant named MMGPT who can understand and generate multimodal content, including text, speech, "
    "images and audio."
)
HUMAN, MACHINE, END_HUMAN, END_MACHINE = "[Human]", "[MMGPT]", "<eoh>", "<eos>"
INSTRUCTION = "Please recognize the voice command and give reply and voice"
TRANSCRIBE = "Please transcribe the given speech."
READ = "Please read the given text."
DRAW = "Please generation an image."
PLAY = "Please compose a piece of music from the given text."
INTERPRET = "Please interpret the given music and provide a textual description."
DESCRIBE = "Please describe the picture briefly."
CAPTION = "Please provide an accurate and concisedescription of the given image."

# Texts that the tokenizer should spell with few pieces.
TEMPLATE_TEXTS = [SYSTEM, ":", INSTRUCTION, TRANSCRIBE, READ]


def question(content: str) -> str:
    """A person's turn; the machine's name stands at its end, ready to answer."""
    return f"{HUMAN}: {content}{END_HUMAN}\n{MACHINE}:"


def spoken_question(speech: str) -> str:
    return question(f"{speech} {INSTRUCTION}")


def picture_request(text: str) -> str:
    """A written turn whose answer has to be an image: a full stop ends the text unless a sign does."""
    return question(f"{text}{'' if text[-1] in '.!?' else '.'} {DRAW}")


def music_request(text: str) -> str:
    """A written turn whose answer has to be a piece of music: the reference adds no full stop here."""
    return question(f"{text} {PLAY}")


def chain(transcript: str, reply: str, speech: str) -> str:
    """The answer to a spoken question: transcript, reply, the reply's speech."""
    return f" <-Ins-> {transcript}\n <-Res-> {reply} {speech}{END_MACHINE}"
