"""The pictures that the pocket model knows: speakable names and the emoji (Noto Color Emoji) that each one names.

Names are CLDR's where that is what a person says ("hedgehog"), else the plain word ("car" for "automobile"). Every
thing of the spoken domain that has an emoji is here; where there are a face and a whole animal, the face is taken,
which is told better at 64 pixels. Chosen by hand: nothing is unfit for company, and no people.
"""

from functools import cache

PICTURES = (
    # animals
    "cat 🐱|dog 🐶|horse 🐴|cow 🐮|pig 🐷|sheep 🐑|lion 🦁|tiger 🐯|elephant 🐘|monkey 🐵|rabbit 🐰|mouse 🐭|bear 🐻|"
    "wolf 🐺|fox 🦊|camel 🐫|zebra 🦓|giraffe 🦒|kangaroo 🦘|panda 🐼|hamster 🐹|donkey 🫏|gorilla 🦍|raccoon 🦝|"
    "unicorn 🦄|deer 🦌|goat 🐐|llama 🦙|rhino 🦏|hippo 🦛|beaver 🦫|hedgehog 🦔|bat 🦇|koala 🐨|sloth 🦥|otter 🦦|"
    "skunk 🦨|leopard 🐆|mammoth 🦣|duck 🦆|owl 🦉|eagle 🦅|chicken 🐔|penguin 🐧|parrot 🦜|swan 🦢|turkey 🦃|"
    "rooster 🐓|dove 🕊|flamingo 🦩|peacock 🦚|goose 🪿|frog 🐸|crocodile 🐊|turtle 🐢|lizard 🦎|snake 🐍|dragon 🐲|"
    "dinosaur 🦕|shark 🦈|whale 🐳|dolphin 🐬|seal 🦭|fish 🐟|octopus 🐙|shell 🐚|jellyfish 🪼|crab 🦀|lobster 🦞|"
    "shrimp 🦐|bee 🐝|ant 🐜|butterfly 🦋|beetle 🪲|spider 🕷|mosquito 🦟|snail 🐌|caterpillar 🐛|ladybug 🐞|"
    # fruit, vegetables, food
    "apple 🍎|banana 🍌|orange 🍊|lemon 🍋|cherry 🍒|grape 🍇|peach 🍑|melon 🍈|strawberry 🍓|pineapple 🍍|pear 🍐|"
    "watermelon 🍉|kiwi 🥝|coconut 🥥|avocado 🥑|carrot 🥕|potato 🥔|tomato 🍅|onion 🧅|pumpkin 🎃|cucumber 🥒|"
    "mushroom 🍄|corn 🌽|broccoli 🥦|garlic 🧄|sandwich 🥪|pizza 🍕|cookie 🍪|cake 🍰|pancake 🥞|bread 🍞|"
    "croissant 🥐|pretzel 🥨|waffle 🧇|cheese 🧀|egg 🥚|bacon 🥓|burger 🍔|taco 🌮|sushi 🍣|rice 🍚|spaghetti 🍝|"
    "popcorn 🍿|honey 🍯|donut 🍩|cupcake 🧁|chocolate 🍫|candy 🍬|lollipop 🍭|ice cream 🍦|milk 🥛|coffee ☕|"
    "teapot 🫖|"
    # plants, sky, places
    "tree 🌳|rose 🌹|tulip 🌷|cactus 🌵|sunflower 🌻|daisy 🌼|palm 🌴|leaf 🍁|sun 🌞|moon 🌙|star ⭐|cloud ☁|"
    "rainbow 🌈|snowflake ❄|snowman ⛄|lightning ⚡|fire 🔥|wave 🌊|volcano 🌋|planet 🪐|earth 🌍|umbrella ☂|"
    "tornado 🌪|desert 🏜|mountain ⛰|island 🏝|"
    # buildings, vehicles
    "house 🏠|castle 🏰|church ⛪|school 🏫|hospital 🏥|tower 🗼|bridge 🌉|tent ⛺|fountain ⛲|car 🚗|bus 🚌|"
    "train 🚂|bicycle 🚲|truck 🚚|tractor 🚜|boat ⛵|airplane ✈|rocket 🚀|helicopter 🚁|taxi 🚕|fire truck 🚒|"
    "scooter 🛴|motorcycle 🏍|ship 🚢|anchor ⚓|parachute 🪂|"
    # music, play
    "piano 🎹|guitar 🎸|violin 🎻|flute 🪈|trumpet 🎺|drum 🥁|saxophone 🎷|microphone 🎤|headphones 🎧|doll 🪆|"
    "kite 🪁|balloon 🎈|puzzle 🧩|teddy 🧸|ball ⚽|basketball 🏀|dice 🎲|robot 🤖|ghost 👻|trophy 🏆|"
    # clothes
    "crown 👑|ring 💍|diamond 💎|hat 🎩|shirt 👕|dress 👗|jeans 👖|sock 🧦|glove 🧤|shoe 👟|boot 🥾|glasses 👓|"
    "backpack 🎒|suitcase 🧳|"
    # things of the house
    "hammer 🔨|saw 🪚|screwdriver 🪛|ladder 🪜|needle 🪡|magnet 🧲|scissors ✂|key 🔑|lock 🔒|bell 🔔|clock ⏰|"
    "hourglass ⏳|telephone ☎|computer 💻|camera 📷|television 📺|battery 🔋|candle 🕯|book 📕|envelope ✉|"
    "pencil ✏|telescope 🔭|broom 🧹|basket 🧺|soap 🧼|bucket 🪣|toothbrush 🪥|bed 🛏|chair 🪑|door 🚪|window 🪟|"
    "mirror 🪞|spoon 🥄|bottle 🍼|gift 🎁|map 🗺|compass 🧭|heart ❤"
)


@cache
def pictures() -> dict[str, str]:
    """Name → the emoji's character, in an order that is never changed."""
    return dict(row.rsplit(" ", 1) for row in PICTURES.split("|"))


def picture_names() -> list[str]:
    """The names in order: a picture's number is its name's place here."""
    return list(pictures())
