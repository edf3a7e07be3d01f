"""A grammar of short stories about the animals of one small valley.

In a sentence, [x|y] is one of its alternatives and {slot} a word of the story: {A} and {B} are the names of the two
who meet, {akind} and {bkind} what they are, {he} {him} {his} and {bhe} {bhim} {bhis} the pronouns that go with them.
"""

import re

from resources.corpora.chance import Chance

_FOLK = (
    ("Pip", "fox", "he"), ("Juno", "owl", "she"), ("Bram", "bear", "he"), ("Mina", "mouse", "she"),
    ("Tobi", "hedgehog", "he"), ("Lena", "goose", "she"), ("Otto", "badger", "he"), ("Nell", "hare", "she"),
    ("Finn", "frog", "he"), ("Rosa", "squirrel", "she"), ("Hugo", "mole", "he"), ("Willa", "otter", "she"),
    ("Sam", "sparrow", "he"), ("Dora", "duck", "she"), ("Max", "rabbit", "he"), ("Ida", "cat", "she"),
)  # fmt: skip
_PRONOUNS = {"he": ("he", "him", "his"), "she": ("she", "her", "her")}
_TRAITS = ("brave", "shy", "proud", "gentle", "clever", "merry", "quiet", "curious", "lazy", "kind", "busy", "little")
_PLACES = (
    "the old mill", "the quiet lake", "the dark wood", "the green hill", "the stone bridge", "the apple garden",
    "the windy shore", "the tall pine", "the long meadow", "the broken tower",
)  # fmt: skip
_THINGS = (
    "silver key", "red kite", "brass bell", "blue button", "wooden flute", "glass marble", "warm hat", "paper boat",
    "golden feather", "white stone", "green lantern", "little drum",
)  # fmt: skip
_FOODS = ("honey cake", "apple pie", "nut bread", "plum jam", "berry soup", "sweet corn")
_TREATS = ("honey cake", "apple pie", "plum cake")
_SEASONS = ("spring", "summer", "autumn", "winter")
_DAYS = ("morning", "evening", "day", "afternoon")

_OPENINGS = (
    "Once upon a time a {trait} {akind} named {A} lived near {place}.",
    "[Near|Not far from] {place} there lived a {trait} {akind} [named|called] {A}.",
    "One {season} {day} {A} the {akind} [went|walked|ran] to {place}.",
    "{A} was a {trait} {akind} who [loved|lived near|often dreamed of] {place}.",
    "It was a [cold|bright|windy|warm|still] {season} {day}, and {A} the {akind} sat by {place}.",
    "Long ago, when [the valley was young|the river was still small|the hills were new], a {akind} named {A} lived by {place}.",
)
_LOST = (
    (
        "{He} had a {thing}, and {he} loved it more than [anything|all other things|{food}].",
        "{His} [mother|father|grandmother] had given {him} a {thing}, and {he} took it [everywhere|to bed each night].",
        "Every night {he} put {his} {thing} under the pillow.",
    ),
    (
        "One {day} the {thing} was gone.",
        "But one {day} {he} woke up, and the {thing} was [gone|not there].",
        "Then, one {day}, {he} could not find the {thing}.",
    ),
    (
        "{He} looked [under the bed|behind the door|in every pot], and {he} looked [in the grass|by the well|on the roof].",
        "{He} looked here and {he} looked there, but {he} found only [a dry leaf|an old shoe|a sleepy snail].",
        "{He} began to cry, and {his} tears fell [on the stones|into the grass|like rain].",
    ),
    (
        '"Why are you so sad?" asked {B} the {bkind}. "My {thing} is lost," said {A}.',
        '"What are you looking for?" asked {B} the {bkind}. "For my {thing}," said {A}.',
        '{B} the {bkind} came by. "Have you seen my {thing}?" asked {A}.',
    ),
    (
        '"Two see more than one," said {B}. "[Let us look together|I will help you|Come with me]."',
        '"[Do not cry|Do not worry|Dry your eyes]," said {B}. "We will find it before the [sun goes down|moon comes up]."',
        '"When did you have it last?" asked {B}. {A} thought [hard|for a long time]. "At {place2}," {he} said.',
    ),
    (
        "So they went to {place2}, and there it lay, [shining in the sun|wet with rain|between two roots].",
        "They walked all the way to {place2}, and there, [under a leaf|in a nest|in the sand], was the {thing}.",
        "They found it at last [near|at] {place2}, where a [crow|magpie] had hidden it.",
    ),
    (
        "{A} was so happy that {he} [danced|sang|laughed] all the way home.",
        "{A} [hugged|thanked] {B} and gave {bhim} a big piece of {food}.",
        "From that day on {A} and {B} were [friends|the best of friends].",
    ),
)
_QUEST = (
    (
        "One night {he} dreamed of a {thing} that lay [hidden|waiting|asleep] at {place2}.",
        "An old song told of a {thing} at {place2}, and {he} wanted to [see|find] it.",
        '"I want to find the {thing} of {place2}," {he} said, "[even if it is far|and I will go today|for nobody else dares to]."',
    ),
    (
        "{He} put some {food} in a bag and set out [at dawn|before breakfast|under the stars].",
        "So {he} packed {food} and a [blanket|rope|candle], and {he} left [at dawn|at once|before the sun was up].",
    ),
    (
        "The road was [long|steep|dusty], and {his} feet [hurt|were tired], but {he} did not [stop|turn back].",
        "{He} walked over [one hill|two hills|many hills] and through [a cold river|a field of thorns|the deep grass].",
        "On the first day it rained, and on the second day [it rained again|the wind blew|the sun burned].",
    ),
    (
        'At a crossing sat {B} the {bkind}. "Share your {food}," {bhe} said, "and I will show you the way." {A} gave {bhim} half.',
        "On the way {he} met {B} the {bkind}, who had [hurt a foot|lost the road|nothing to eat], and {he} stopped to help {bhim}.",
        '{B} the {bkind} lay in a [ditch|hole|net]. "[Help|Help me out]!" cried {B}, and {A} pulled [and pulled|with all {his} might].',
    ),
    (
        'Then they went on together. "[Are we lost|Are we there|Is it far]?" asked {B}. "[Not at all|Almost|Only a little]," said {A}.',
        "Two go faster than one, and soon they [stood before|saw|came to] {place2}.",
        "{B} knew a path that [no map showed|only the wind knew|went under the hill], and it led to {place2}.",
    ),
    (
        "There they found the {thing}, but it was [old and broken|as small as a pea|only a {thing}], and they [laughed|smiled].",
        "There was the {thing}, and it [shone like a star|was as bright as the moon|was warm to the touch].",
        "They looked and looked, but there was no {thing}, only [a fine view|the wind|a bed of flowers].",
    ),
    (
        '"The best thing I found on the way was you," said {A}.',
        '"[It does not matter|Well]," said {A}. "Now I have a friend, and that is [worth more|better]."',
        "They went home slowly, for [now they had much to tell|neither wanted the road to end|the evening was so fair].",
    ),
)
_CONTEST = (
    (
        '"Nobody [runs|swims|sings|climbs] better than I do," said {A}, and {he} said it [every day|to everyone|very loudly].',
        "{He} was [good|very good] at many things, and {he} [knew it|liked to say so].",
        "In that year there was a great [race|feast with games|game of skill] for all who lived near {place}.",
    ),
    (
        '"Then race me to {place2}," said {B} the {bkind}. "The winner gets a {thing}."',
        '{B} the {bkind} smiled. "Shall we see who is first at {place2}?" {bhe} asked. "[Yes|Gladly|Of course]," said {A}.',
        'A {thing} was the prize, and {B} the {bkind} wanted it too. "To {place2} and back," said the judge.',
    ),
    (
        "Everyone came to watch, [even the old toad|even the bees|and the crows sat in a row].",
        '"One, two, three, go!" cried the [crow|toad|old ram].',
        "The judge [rang a bell|dropped a leaf], and off they went.",
    ),
    (
        "{A} was [far ahead|first at once|quick as the wind], so {he} stopped to [rest|eat some {food}|wave to the crowd].",
        "At first {A} was ahead, then {B}, and then they ran side by side.",
        "{B} did not hurry, but {bhe} did not stop, not [once|even for {food}].",
    ),
    (
        "Halfway there {A} fell over a [root|stone] and could not get up.",
        "Then {A} heard a small voice call for help, for a [chick|beetle] had fallen into the [water|mud].",
        "But near {place2} the bridge was [broken|gone], and {A} [stopped|did not know what to do].",
    ),
    (
        '{B} turned back at once. "A prize can wait," {bhe} said, "[but a friend cannot|but you cannot]."',
        '"[Take my hand|Hold on to me|Lean on me]," said {B}, and they went on together, slowly.',
        "{B} came running, and together they [found a way|made it right|did what had to be done].",
    ),
    (
        "They came in last, and the crowd cheered for them [all the same|until night fell|more than for any winner].",
        "They crossed the line [at the same time|side by side], so the judge cut the {food} in two and gave each a half.",
        'The prize went to both of them. "You keep it in {season}," said {A}, "and I will have it in the other months."',
    ),
)
_VISITOR = (
    (
        "That night there was a [soft|loud] knock at the door.",
        "That {day} someone knocked [softly|three times|loudly] at the door.",
        "{He} was [making {food}|asleep by the fire|counting the stars] when {he} heard a knock.",
    ),
    (
        '"Who is there?" asked {A}. "Only {B} the {bkind}," said a [thin|deep|tired] voice.',
        'Outside stood a {bkind} with a {thing}. "My name is {B}," {bhe} said. "[I am cold|I have come a long way|I lost my way]."',
        "{He} opened the door, and there stood {B} the {bkind}, [wet to the bone|white with snow|tired from the road].",
    ),
    (
        "{A} was [afraid|not sure], for {he} did not know {bhim}, but the night was [cold|dark and wild].",
        '"My house is small," said {A}, "but there is room for [two|a guest|a good story]."',
        '"Come in," said {A}. "There is {food} on the table and [a fire|a chair] for you."',
    ),
    (
        "They ate {food} and [talked|told stories|sang] until the [candle|fire] was [low|out].",
        "{B} ate [three bowls|as if {bhe} had not eaten for days] and then told of {place2}, where [the moon sleeps|fish can sing].",
        '"Where do you come from?" asked {A}. "From {place2}, where [the snow is blue|the wind is born]," said {B}.',
    ),
    (
        "In the morning the guest was gone, but on the table lay a {thing}.",
        'In the morning {B} gave {A} a {thing}. "[It brings luck|Keep it|It is for you]," {bhe} said, "for you gave before you asked."',
        'When the sun came up {B} said, "I must go on, but [I will not forget you|I will come again in {season}]."',
    ),
    (
        "{A} stood at the door and waved until {he} could see {bhim} no more.",
        "{A} [kept it|thought of it] for [many years|the rest of {his} days].",
        "And every {season} {A} put a light in the window, [in case a guest should come|so that nobody would lose the way].",
    ),
    (
        "A door that is open lets the [sun|summer] in.",
        "A stranger is only a friend you have not met.",
        "And the house near {place} was never [lonely|quite so quiet] again.",
    ),
)
_STORM = (
    (
        "The sky grew [dark|black|green], and the wind began to [howl|sing|shake the trees].",
        '"A storm is coming," said the [crows|old men of the hill|frogs], and they were right.',
        "That night the [rain fell|snow came] as it had never done before.",
    ),
    (
        "The river rose [higher and higher|over the road|up to the door], and the [bridge|old fence] was washed away.",
        "The wind [took the roof|broke a tree|tore at the door], and {A} hid [under the table|in a corner|in bed].",
        "Thunder [rolled|walked] over the hills, and {A} held {his} {thing} [tight|with both hands].",
    ),
    (
        'Then {he} heard a cry. It was {B} the {bkind}! "[Help|The water is coming|I cannot get home]!" {bhe} called.',
        "Through the window {he} saw {B} the {bkind}, who [sat on a log|held on to a branch] in the middle of the water.",
        '"Is {B} the {bkind} safe?" {he} thought, and {he} could not [sleep|sit still].',
    ),
    (
        "{A} was afraid, but {he} took [a rope|a lantern|a long pole] and went out into the [rain|wind|night].",
        "{His} heart beat [fast|like a drum], but {he} [ran|went] out all the same.",
        '"[Hold on|Wait for me|I am coming]!" cried {A}, and {he} ran [through the rain|as fast as {he} could].',
    ),
    (
        "{He} threw the rope, and {B} [caught it|caught it at the second try]. Then {he} pulled with all {his} might.",
        "Step by step they came back, [hand in hand|through mud and leaves], until the door closed behind them.",
        "{He} [found|reached] {B} near {place2} and took {bhim} home [on {his} back|under {his} coat].",
    ),
    (
        'They sat by the fire with {food}. "Were you not afraid?" asked {B}. "[Very|Oh yes]," said {A}, "but I was not alone."',
        "All night they sat [by the fire|under one blanket], ate {food} and listened to the [wind|rain].",
        '"You are brave," said {B}. "No," said {A}, "I only forgot to be afraid."',
    ),
    (
        "In the morning the [sky was blue|world was clean], and a rainbow stood over {place}.",
        "When the sun came back, all the neighbors came to [mend the roof|build a new bridge|clear the road].",
        "The storm was soon forgotten, but not what {A} had done.",
    ),
)
_QUARREL = (
    (
        "{His} best friend was {B} the {bkind}, and they did everything together.",
        "{He} and {B} the {bkind} [shared a garden|had been friends for years|lived side by side].",
        "Next to {him} lived {B} the {bkind}, and every {day} they ate {food} together.",
    ),
    (
        'One {day} they found a {thing}. "It is mine," said {A}. "No, it is mine," said {B}.',
        '"You [broke|lost|hid] my {thing}," said {A} one {day}. "I did not," said {B}.',
        '"There is only one piece of {food} left," said {A}, "and it is mine." "[You had two|It is not]," said {B}.',
    ),
    (
        "They [shouted|argued] until the birds flew [away|out of the trees].",
        "{B} [went home|walked away] without a word, and {A} [shut the door|kicked a stone].",
        '"Then I do not want to see you," said {A}. "Nor I you," said {B}.',
    ),
    (
        "For three days they did not speak, and {A} found that the {food} [had no taste|tasted of nothing].",
        "The days were [long|gray], and there was nobody to [laugh|talk|play] with.",
        "{A} tried to play alone, but [a ball needs two|even the {thing} was no fun].",
    ),
    (
        "At last {he} [took the {thing}|baked a {treat}] and went to {place2}, where {B} sat [alone|by the water|in the grass].",
        "Then {he} could bear it no longer, and {he} went to {place2} to look for {B}.",
        "On the fourth day they met at {place2}, [by chance|both with red eyes].",
    ),
    (
        '"[I am sorry|I was wrong]," said {A}. "So [am|was] I," said {B}.',
        '"You can have it," said {A}. "No, you," said {B}, and then they both [laughed|began to laugh].',
        '"I missed you," said {B}. "And I you," said {A}, "[more than I can say|every single day]."',
    ),
    (
        "They [cut it in two|shared it], and half was [more than enough|better than all].",
        "It is good to be right, but it is better to be friends.",
        "And they sat there together until the [moon|first star] came up over {place}.",
    ),
)
_WISH = (
    (
        "{He} had only one wish, and it was to [fly|see the sea|touch the moon|hear the stars].",
        "Every night {he} looked at the [moon|stars] and made the same wish.",
        '"If only I could [fly|catch the moon|sleep on a cloud]," {he} said each {day}.',
    ),
    (
        '"That cannot be done," said the [crow|toad|old ram]. "[Go home|Be glad with what you have|Eat your {food}]."',
        "All the others [laughed|shook their heads], but {A} [did not care|went on dreaming|only smiled].",
        "{He} tried it with [a ladder|a kite|a very long rope], but {he} fell into the [mud|hay|pond].",
    ),
    (
        'Only {B} the {bkind} did not laugh. "[Tell me more|Show me|Let us try]," {bhe} said.',
        'Then {he} told {B} the {bkind} about it. "Hm," said {B}, "I think [I know a way|it can be done|I can help]."',
        '"Why not?" said {B} the {bkind}. "Meet me at {place2} [tonight|when the moon is up|tomorrow]."',
    ),
    (
        "They worked [all night|for seven days] with [wood and string|feathers and glue|an old sheet], and they ate only {food}.",
        "{B} brought a {thing}, and {A} brought [a basket|a sail|some rope].",
        "They went to {place2} [in the dark|on tiptoe], and {A} could hear {his} own heart.",
    ),
    (
        '"[Now close your eyes|Are you ready]?" asked {B}. "[Yes|I am ready]," said {A}, and {his} voice shook.',
        "{A} took a deep breath and [jumped|closed {his} eyes|counted to three].",
        '"Look down," said {B}, and there in the still water lay the moon and all the stars.',
    ),
    (
        "And for one [moment|short and shining moment] {his} wish came true.",
        "It was [even better|quite different] than {he} had thought, and {he} laughed [out loud|until {he} cried].",
        "It did not last long, but {he} [never forgot it|kept it in {his} heart].",
    ),
    (
        '"What shall we wish for now?" asked {B}. "[Breakfast|For nothing more|The next wish]," said {A}.',
        "A wish is light when two carry it.",
        "From then on nobody near {place} [laughed at dreams|said that it could not be done].",
    ),
)
_GIFT = (
    (
        "Soon it would be the birthday of {B} the {bkind}, and {he} had no gift.",
        "{B} the {bkind} was ill and lay in bed, and {A} wanted to make {bhim} glad.",
        '"Tomorrow is the feast of {B} the {bkind}," {he} thought, "and I have [nothing to give|only an old {thing}]."',
    ),
    (
        "{He} wanted to bake a {treat}, but there was no [flour|honey] in the house.",
        "{He} went to {place2} to look for something [fine|rare|pretty], but {he} found only [stones|leaves|mud].",
        "At the market a {thing} cost [too much|ten coins|a whole sack of nuts], and {his} pockets were empty.",
    ),
    (
        '"I will give you [one|what you need] for a day of work," said the [miller|old goat|baker], and {A} [worked until dark|carried sacks all day].',
        "So {he} sat down and made a {thing} with {his} own hands, and it took [all night|three days].",
        "Then {he} learned a song, and {he} sang it [again and again|to the trees] until {he} knew every note.",
    ),
    (
        "But on the way home {he} met a [small bird|poor old dog|lost lamb] that was [hungry|cold], and {he} gave it {his} [bread|coat].",
        "But {he} slipped near {place}, and {his} [best|only] coat was [wet|full of mud|torn].",
        "It was not [very fine|as fine as {he} had hoped], and {he} was [ashamed|afraid that {B} would laugh].",
    ),
    (
        'With [red ears|a soft voice] {he} went to {B}. "I have [so little|only this]," {he} said.',
        '"I wanted to bring you something [better|bigger]," said {A}, and {he} looked at {his} feet.',
        "{He} stood at the door of {B} for a long time before {he} knocked.",
    ),
    (
        '"You came," said {B}, "and that is [the best gift of all|all I wanted]."',
        '{B} looked at it and [smiled|laughed with joy]. "[Nobody ever made me anything|It is just right]," {bhe} said.',
        '"[Sit down|Stay with me|Tell me all]," said {B}, and {bhis} eyes [shone|were bright].',
    ),
    (
        "They ate {food} and laughed, and {B} felt [better|well] already.",
        "A gift is as big as the heart that [brings|gives] it.",
        "And long after that {day} {B} still [spoke of it|smiled to think of it].",
    ),
)
_PLOTS = (_LOST, _QUEST, _CONTEST, _VISITOR, _STORM, _QUARREL, _WISH, _GIFT)
_CLOSINGS = (
    "", "", "", "The end.", "And that was that.", "So it was, and so it is still.", "Then they slept well, and so should you.",
    "And if you go to {place} on a {season} {day}, you may still hear them laugh.",
)  # fmt: skip


def tale(chance: Chance) -> str:
    """One story, a paragraph of eight to twelve sentences."""
    words = _words(chance)
    frames = (_OPENINGS, *chance.pick(_PLOTS), _CLOSINGS)
    sentences = [_sentence(chance.pick(frame), words, chance) for frame in frames]
    return " ".join(sentence for sentence in sentences if sentence)


def _words(chance: Chance) -> dict[str, str]:
    """What the slots of one story hold; they stay the same from its first sentence to its last."""
    (name, kind, pronoun), (other_name, other_kind, other_pronoun) = chance.pick_two(_FOLK)
    he, him, his = _PRONOUNS[pronoun]
    bhe, bhim, bhis = _PRONOUNS[other_pronoun]
    place, place2 = chance.pick_two(_PLACES)
    return {
        "A": name, "akind": kind, "he": he, "him": him, "his": his, "He": he.capitalize(), "His": his.capitalize(),
        "B": other_name, "bkind": other_kind, "bhe": bhe, "bhim": bhim, "bhis": bhis,
        "place": place, "place2": place2, "trait": chance.pick(_TRAITS), "thing": chance.pick(_THINGS),
        "food": chance.pick(_FOODS), "treat": chance.pick(_TREATS), "season": chance.pick(_SEASONS), "day": chance.pick(_DAYS),
    }  # fmt: skip


def _sentence(frame: str, words: dict[str, str], chance: Chance) -> str:
    chosen = re.sub(r"\[([^\]]*)\]", lambda match: chance.pick(match[1].split("|")), frame)
    return re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", chosen.format_map(words))
