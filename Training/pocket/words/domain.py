"""What the pocket model talks about: seeded (question, reply) pairs, and which of them are held out.

The domain is closed. A reply is always one of `all_replies()`, so that its speech can be recorded once; the questions
are many phrasings of few matters. Words are lower case without digits. Nothing here is unfit for company: every word
below was chosen by hand.
"""

import hashlib
import random
import re
from functools import cache

from .names import picture_names
from .tunes import asked_tunes, tune

ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()

CAPITALS = {
    "france": "paris", "japan": "tokyo", "italy": "rome", "spain": "madrid", "germany": "berlin", "england": "london",
    "russia": "moscow", "china": "beijing", "egypt": "cairo", "greece": "athens", "ireland": "dublin",
    "norway": "oslo", "austria": "vienna", "portugal": "lisbon", "cuba": "havana", "peru": "lima",
    "kenya": "nairobi", "poland": "warsaw", "canada": "ottawa", "hungary": "budapest",
}  # fmt: skip

OPPOSITES = {
    "hot": "cold", "big": "small", "fast": "slow", "old": "young", "happy": "sad", "light": "dark", "high": "low",
    "open": "closed", "early": "late", "hard": "soft", "full": "empty", "rich": "poor", "left": "right", "up": "down",
    "day": "night", "good": "bad", "near": "far", "wet": "dry", "strong": "weak", "loud": "quiet",
}  # fmt: skip

COLORS = {
    "the sky": "blue", "the grass": "green", "the sun": "yellow", "snow": "white", "coal": "black",
    "a banana": "yellow", "a tomato": "red", "a carrot": "orange", "a frog": "green", "an elephant": "gray",
    "chocolate": "brown", "a lemon": "yellow", "a strawberry": "red", "the sea": "blue", "milk": "white",
}  # fmt: skip

SOUNDS = {
    "cow": "moo", "cat": "meow", "dog": "woof", "duck": "quack", "sheep": "baa", "lion": "roar", "bee": "buzz",
    "owl": "hoot", "frog": "ribbit", "pig": "oink",
}  # fmt: skip

THINGS = {
    "animal": "cat dog horse cow pig sheep lion tiger elephant monkey rabbit mouse bear wolf fox camel zebra giraffe "
    "kangaroo panda hamster donkey",
    "bird": "duck owl eagle chicken penguin parrot swan",
    "fish": "shark salmon goldfish",
    "insect": "bee ant butterfly beetle spider mosquito",
    "fruit": "apple banana orange lemon cherry grape peach melon strawberry pineapple",
    "vegetable": "carrot potato tomato onion pumpkin cucumber mushroom",
    "vehicle": "car bus train bicycle truck tractor boat airplane rocket helicopter",
    "instrument": "piano guitar violin flute trumpet drum harp",
    "tool": "hammer saw shovel screwdriver ladder needle",
    "building": "house castle church school hospital lighthouse",
    "plant": "tree rose tulip cactus sunflower",
    "food": "sandwich pizza cookie cake pancake sausage",
    "toy": "doll kite balloon puzzle teddy",
    "place": "forest desert mountain island river",
}  # fmt: skip

# The things that the backbone talks about; the codec hears all of them. Few, so that each is heard often.
SPOKEN_THINGS = set(
    "cat dog horse cow pig sheep lion tiger elephant monkey rabbit mouse bear duck owl eagle shark bee spider apple "
    "banana orange lemon carrot potato tomato car bus train boat airplane piano guitar violin drum hammer house castle "
    "tree rose pizza cake doll island".split()
)

FACTS: list[tuple[list[str], str]] = [
    (["hello", "hello there", "hi there"], "hello, how can i help you"),
    (["good morning", "a good morning to you"], "good morning to you"),
    (["good night", "i am going to bed"], "good night and sleep well"),
    (["good bye", "see you later"], "good bye, see you soon"),
    (["thank you", "thank you very much", "thanks a lot"], "you are welcome"),
    (["what is your name", "tell me your name", "who are you"], "my name is pocket"),
    (["how are you", "how are you today", "how do you feel"], "i am fine, thank you"),
    (["what can you do", "how can you help me"], "i can answer small questions"),
    (["how old are you", "when were you born"], "i was born a short time ago"),
    (["are you human", "are you a machine", "are you a robot"], "i am a machine"),
    (["where do you live", "where are you"], "i live inside a computer"),
    (["do you like music", "what music do you like"], "i like every kind of music"),
    (["tell me a joke", "do you know a joke", "make me laugh"], "why did the robot cross the road, to charge"),
    (["how many days are in a week", "how many days does a week have"], "there are seven days in a week"),
    (["how many months are in a year", "how many months does a year have"], "there are twelve months in a year"),
    (["how many hours are in a day", "how many hours does a day have"], "there are twenty four hours in a day"),
    (["how many minutes are in an hour", "how many minutes does an hour have"], "there are sixty minutes in an hour"),
    (["how many legs does a spider have", "how many legs has a spider"], "a spider has eight legs"),
    (["how many legs does a dog have", "how many legs has a dog"], "a dog has four legs"),
    (["how many wheels does a car have", "how many wheels has a car"], "a car has four wheels"),
    (["what do bees make", "what does a bee make"], "bees make honey"),
    (["what do cows eat", "what does a cow eat"], "cows eat grass"),
    (["what do you drink in the morning", "what do people drink for breakfast"], "many people drink coffee"),
    (["what is the largest planet", "which planet is the largest"], "the largest planet is jupiter"),
    (["what is the largest animal", "which animal is the largest"], "the largest animal is the blue whale"),
    (["what is the fastest animal", "which animal is the fastest"], "the fastest animal is the cheetah"),
    (["what is the tallest animal", "which animal is the tallest"], "the tallest animal is the giraffe"),
    (["what is the highest mountain", "which mountain is the highest"], "the highest mountain is mount everest"),
    (["what is the longest river", "which river is the longest"], "the longest river is the nile"),
    (["where does the sun rise", "where does the sun come up"], "the sun rises in the east"),
    (["where does the sun set", "where does the sun go down"], "the sun sets in the west"),
    (["what is ice made of", "what is snow made of"], "it is made of frozen water"),
    (["what is bread made of", "how do you make bread"], "bread is made of flour and water"),
    (["what comes after monday", "which day comes after monday"], "after monday comes tuesday"),
    (["what comes after friday", "which day comes after friday"], "after friday comes saturday"),
    (["what comes after winter", "which season comes after winter"], "after winter comes spring"),
    (["what comes after summer", "which season comes after summer"], "after summer comes autumn"),
    (["what time is it", "do you have the time"], "i do not have a clock"),
    (["what is the weather like", "will it rain today"], "i can not see the weather"),
    (["can you sing", "please sing a song"], "i can not sing yet"),
    (["who made you", "who built you"], "i was made by people who like small things"),
    (["i am sad", "i feel sad today"], "i am sorry to hear that"),
    (["i am happy", "i feel happy today"], "i am glad to hear that"),
    (["i am tired", "i feel tired today"], "then you should rest a little"),
    (["i am hungry", "i feel hungry"], "then you should eat something"),
]  # fmt: skip

DRAW = [
    "draw {}", "please draw {}", "show me a picture of {}", "can you draw me {}", "paint {} for me",
    "make a picture of {}", "could you draw {} for me", "i want to see {}",
]  # fmt: skip
DRAW_REPLY = "here is your picture"
# Names that stand without "a", and those of which there is one.
WITHOUT_ARTICLE = set(
    "corn broccoli garlic bread cheese bacon sushi rice spaghetti popcorn honey milk coffee lightning fire soap jeans "
    "headphones dice glasses scissors".split()
) | {"ice cream"}
MANY = {"jeans", "headphones", "dice", "glasses", "scissors"}
ASKS = set("what how which who where when do does can could are is will".split())  # first words of questions
ONLY_ONE = {"sun", "moon", "earth"}
# What a person writes to whom the form of the answer is given already, and with a picture.
WRITTEN_DRAW = ["{}", "{}", "{}", "a picture of {}", "an image of {}", "{} please", "draw me {}", "paint {}"]
LOOK = [
    "what is this", "what do you see", "what is that", "what can you see", "what is in the picture",
    "tell me what this is", "do you know what this is", "what is on this picture",
]  # fmt: skip
PLAY = [
    "play {}", "please play {}", "can you play {}", "play me {}", "i want to hear {}", "could you play {} for me",
]  # fmt: skip
PLAY_REPLY = "here is your music"
# What a person writes to whom the form of the answer is given already, and with a piece of music.
WRITTEN_PLAY = ["{}", "{}", "{}", "{} please", "play {}", "compose {}"]
HEAR = [
    "what music is this", "what do you hear", "what is this", "what is playing", "what can you hear",
    "tell me what you hear", "which instrument is this", "what kind of music is this",
]  # fmt: skip

WHAT = [
    "what is {}", "tell me what {} is", "do you know what {} is", "what kind of thing is {}",
    "can you tell me what {} is", "please tell me what {} is",
]  # fmt: skip
SAY = ["say {}", "please say {}", "repeat after me {}", "say the word {}", "can you say {}", "now say {}"]
CAPITAL = [
    "what is the capital of {}", "tell me the capital of {}", "which city is the capital of {}",
    "do you know the capital of {}", "name the capital of {}",
]  # fmt: skip
OPPOSITE = [
    "what is the opposite of {}", "tell me the opposite of {}", "give me the opposite of {}",
    "do you know the opposite of {}", "name the opposite of {}",
]  # fmt: skip
COLOR = [
    "what color is {}", "tell me the color of {}", "which color does {} have", "what is the color of {}",
    "do you know the color of {}",
]  # fmt: skip
SOUND = ["what does a {} say", "what sound does a {} make", "how does a {} sound", "tell me what a {} says"]
PLUS = ["what is {} plus {}", "how much is {} plus {}", "tell me {} plus {}", "can you add {} and {}"]
SUM = "the answer is"
MINUS = ["what is {} minus {}", "how much is {} minus {}", "tell me {} minus {}", "please count {} minus {}"]

# Phrasings that training never sees; the matters behind them are seen in other words.
HELD_OUT_PHRASINGS = {
    "paint {} for me", "do you know what {} is", "which color does {} have", "give me the opposite of {}",
    "hi there", "do you know a joke", "how many legs has a dog", "could you play {} for me",
}  # fmt: skip

# Words of everyday English, for the codec only: sounds that the domain's own words lack.
EVERYDAY = (
    "about above across always anything around autumn beautiful because before behind believe between birthday bottle "
    "bridge bright brother business careful change cheerful children choose circle clothes comfortable cough country "
    "courage danger daughter decide delicious describe different difficult dinner distance earth either energy enough "
    "evening everybody exactly example excellent explain family famous father favorite february fifteen finger finish "
    "flower follow foreign forget forward freedom friendly garden gentle genuine government grandmother group guess "
    "happen healthy height history holiday huge imagine important information interesting invite january jewel journey "
    "joyful judge jump kitchen knife knowledge language laughter learn leather leisure library listen machine measure "
    "medicine message middle million mirror moment mother motion museum mystery nation nature neighbor nothing notice "
    "number object ocean october office often opinion ordinary outside oxygen package paper patient peaceful people "
    "perhaps picture pleasure pocket poem police popular possible powerful practice prepare present probably promise "
    "purpose quarter question quickly quiet ready reason receive remember result rhythm rough sailor science search "
    "secret sentence several shadow shoulder silver simple sister solution someone southern special square station "
    "stomach straight strange street student suddenly sugar surprise sweater teacher television temperature theater "
    "thirsty thousand thought through together tomorrow tongue treasure trouble twice umbrella uncle understand "
    "unusual usually vacation valley various vegetable vision voice voyage waiting warm watch weather wednesday "
    "weekend welcome whether whisper wide window winter without wonderful wooden world worth writing yellow yesterday"
).split()  # fmt: skip
GLUE = "the a my your is was and of in to for with on that we they she he it you do not can will".split()


def say(number: int) -> str:
    """A number from 0 to 99 in words."""
    if number < 20:
        return ONES[number]
    tens = TENS[number // 10 - 2]
    return tens if number % 10 == 0 else f"{tens} {ONES[number % 10]}"


def article(text: str) -> str:
    """Turns 'a' before a vowel into 'an'."""
    return re.sub(r"\ba (?=[aeiou])", "an ", text)


def one(name: str) -> str:
    """A picture's name as it is spoken of: "a tiger", "the sun", "bread"."""
    if name in ONLY_ONE:
        return f"the {name}"
    return name if name in WITHOUT_ARTICLE else article(f"a {name}")


KIND_OF = {thing: kind for kind, things in THINGS.items() for thing in things.split()}
NAMES = sorted(KIND_OF)
WORDS_TO_SAY = NAMES + ONES[:13] + sorted(set(COLORS.values()))


def held_out(text: str, share: float = 0.06) -> bool:
    """Whether a sentence is kept apart from training, decided by its hash and never changed."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") / 2**32 < share


@cache
def catalogue(whole: bool = False) -> dict[str, list[tuple[str, str, str]]]:
    """Every (question, reply, phrasing) of the domain by kind of matter; `whole` has all things, for the codec."""
    kinds: dict[str, list[tuple[str, str, str]]] = {}

    def add(kind: str, phrasings: list[str], reply: str, *slots: str) -> None:
        for phrasing in phrasings:
            question = article(phrasing.format(*slots)) if slots else phrasing
            kinds.setdefault(kind, []).append((question, article(reply), phrasing))

    for phrasings, reply in FACTS:
        add("fact", phrasings, reply)
    for country, city in CAPITALS.items():
        add("capital", CAPITAL, f"the capital of {country} is {city}", country)
    for word, other in OPPOSITES.items():
        add("opposite", OPPOSITE, f"the opposite of {word} is {other}", word)
    for thing, color in COLORS.items():
        add("color", COLOR, f"{thing} is {color}", thing)
    for animal, sound in SOUNDS.items():
        add("sound", SOUND, f"a {animal} says {sound}", animal)
    for thing, kind in KIND_OF.items():
        if not whole and thing not in SPOKEN_THINGS:
            continue
        add("what", WHAT, f"a {thing} is a {kind}", f"a {thing}")
        add("draw", DRAW, DRAW_REPLY, one(thing))
    for name in picture_names():
        if name not in SPOKEN_THINGS:
            add("picture", DRAW, DRAW_REPLY, one(name))
    for word in WORDS_TO_SAY if whole else sorted(SPOKEN_THINGS):
        add("say", SAY, word, word)
    for asked in asked_tunes():
        add("play", PLAY, PLAY_REPLY, asked)
    for a in range(11):
        for b in range(11):
            add("sum", PLUS, f"{SUM} {say(a + b)}", say(a), say(b))
            if a >= b:
                add("sum", MINUS, f"{SUM} {say(a - b)}", say(a), say(b))
    return kinds


SHARES = {
    "fact": 20, "capital": 10, "opposite": 8, "color": 7, "sound": 5, "what": 16, "draw": 9, "picture": 12,
    "say": 9, "play": 8, "sum": 20,
}  # fmt: skip


def all_replies() -> list[str]:
    """Each distinct reply once."""
    return sorted({reply for rows in catalogue().values() for _, reply, _ in rows})


@cache
def answers() -> dict[str, str]:
    """Question to reply, held out or not."""
    return {question: reply for rows in catalogue().values() for question, reply, _ in rows}


@cache
def drawn() -> dict[str, str]:
    """The questions that ask for a picture, each with the picture's name."""
    return {article(phrasing.format(one(name))): name for name in picture_names() for phrasing in DRAW}


@cache
def drawing_questions() -> dict[str, list[str]]:
    """The training questions that ask for a picture, by its name."""
    out: dict[str, list[str]] = {}
    train, _ = split()
    for question, _ in train["draw"] + train["picture"]:
        out.setdefault(drawn()[question], []).append(question)
    return out


@cache
def played() -> dict[str, str]:
    """The questions that ask for music, each with the piece's name."""
    return {phrasing.format(asked): name for asked, name in asked_tunes().items() for phrasing in PLAY}


@cache
def playing_questions() -> dict[str, list[str]]:
    """The training questions that ask for music, by the piece's name."""
    out: dict[str, list[str]] = {}
    for question, _ in split()[0]["play"]:
        out.setdefault(played()[question], []).append(question)
    return out


def tune_text(name: str, rng: random.Random) -> str:
    """What a person writes to whom the form of the answer is given already; never a held-out question."""
    text = rng.choice(WRITTEN_PLAY).format(tune(name) if rng.random() < 0.7 else name)
    return tune_text(name, rng) if text in apart() else text


def this_tune(name: str) -> str:
    """The answer to the question what music is played."""
    return f"this is {tune(name)}"


def picture_text(name: str, rng: random.Random) -> str:
    """What a person writes to whom the form of the answer is given already; never a held-out question."""
    text = article(rng.choice(WRITTEN_DRAW).format(one(name) if rng.random() < 0.7 else name))
    return picture_text(name, rng) if text in apart() else text


def this_is(name: str) -> str:
    """The answer to the question what a picture shows."""
    return f"these are {name}" if name in MANY else f"this is {one(name)}"


def typed(text: str, rng: random.Random) -> str:
    """A question as people write it: often as they say it, else with a capital, capital names and a sign at its end."""
    if rng.random() < 0.5:
        return text
    words = [word.capitalize() if word in CAPITALS or word == "i" else word for word in text.split()]
    words[0] = words[0].capitalize() if rng.random() < 0.8 else words[0]
    asks = words[0].lower() in ASKS
    return " ".join(words) + rng.choice(["?", "?", ""] if asks else [".", "", "", "!"])


def in_digits(question: str) -> str:
    """A sum as many type it: "what is 3 + 4"."""
    signs = {"plus": "+", "minus": "-"} | {word: str(number) for number, word in enumerate(ONES)}
    return " ".join(signs.get(word, word) for word in question.split())


@cache
def split(whole: bool = False) -> tuple[dict[str, list[tuple[str, str]]], list[tuple[str, str]]]:
    """(training pairs by kind, held-out pairs).

    Held out: phrasings named above, and 6 % of the other questions. Facts keep every plain question: they are few.
    """
    train: dict[str, list[tuple[str, str]]] = {}
    held: list[tuple[str, str]] = []
    for kind, rows in catalogue(whole).items():
        for question, reply, phrasing in rows:
            apart = phrasing in HELD_OUT_PHRASINGS or (kind != "fact" and held_out(question))
            if apart:
                held.append((question, reply))
            else:
                train.setdefault(kind, []).append((question, reply))
    return train, held


@cache
def apart() -> frozenset[str]:
    """The held-out questions."""
    return frozenset(question for question, _ in split()[1])


def pair(rng: random.Random, whole: bool = False) -> tuple[str, str]:
    """A training (question, reply), kinds weighted by SHARES."""
    train, _ = split(whole)
    kind = rng.choices(list(SHARES), weights=list(SHARES.values()))[0]
    return rng.choice(train[kind])


def practice(rng: random.Random) -> str:
    """Something to write down that has no answer, so that words are learned and not whole questions by heart.

    Words of the domain in any order (those of the held-out phrasings too), two halves of different questions, replies.
    """
    dice = rng.random()
    if dice < 0.4:
        return " ".join(rng.choice(WORDS) for _ in range(rng.randint(2, 7)))
    if dice < 0.5:
        return rng.choice(all_replies()).replace(",", "")
    first, second = pair(rng)[0].split(), pair(rng)[0].split()
    first, second = first[: rng.randint(1, len(first))], second[rng.randint(0, len(second) - 1) :]
    among = [rng.choice(WORDS) for _ in range(rng.choice([0, 0, 1, 2]))]
    text = " ".join(first + among + second)
    return practice(rng) if text in apart() else text


@cache
def known_words() -> set[str]:
    """The words of the backbone's domain."""
    return {word for rows in catalogue().values() for row in rows for word in words(f"{row[0]} {row[1]}")}


def words(text: str) -> list[str]:
    return re.findall("[a-z]+", text)


WORDS = sorted(known_words())


def codec_sentence(rng: random.Random) -> str:
    """A sentence for the codec: mostly the domain, with single words and everyday words among them."""
    dice = rng.random()
    if dice < 0.40:
        return pair(rng, whole=True)[0]
    if dice < 0.65:
        return pair(rng, whole=True)[1]
    if dice < 0.78:
        return " ".join(rng.choice(WORDS_TO_SAY) for _ in range(rng.randint(1, 4)))
    words = []
    for _ in range(rng.randint(2, 4)):
        words += [rng.choice(GLUE), rng.choice(EVERYDAY)]
    return " ".join(words)
