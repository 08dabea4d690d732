//! What people write of themselves.

use domain::vocabulary::{Interest, Vocabulary};

use crate::chance::Chance;

/// How support workers begin.
const OPENINGS: [&str; 12] = [
    "I have supported people at home for years, and I still learn something at every door.",
    "I came to this work after my grandmother moved in with us, and I never looked back.",
    "I spent ten years in a hospital kitchen before I found what I really like to do.",
    "I drive, I listen, and I remember how you take your coffee.",
    "I grew up on a farm, and I bring the same steadiness to your mornings.",
    "I was a teacher of history for a long time, and patience is what stayed with me.",
    "I keep to what we agreed, and tell you early when something has to change.",
    "I like a calm start, a clear plan and a good laugh in between.",
    "I have raised three children and cared for two parents; little rattles me.",
    "I used to drive a bus through the whole city, so I know every corner of it.",
    "I started in a group home and have worked one to one ever since I could.",
    "I sail, I cook and I turn up on the minute.",
];

/// What they may add.
const ADDITIONS: [&str; 14] = [
    "I treat your home as yours, down to where the cups go.",
    "My own dog stays at home, but yours is welcome to greet me.",
    "I write a short note after every visit, so that nobody has to guess.",
    "I sing in a choir on Thursdays and hum the rest of the week.",
    "I make a good soup and an honest cup of tea.",
    "I know the ferry timetable by heart and am glad to take you along the coast.",
    "I do not mind silence, and I do not mind a long story.",
    "I mend what is broken, from hems to hinges.",
    "I speak slowly when it helps, and repeat myself without sighing.",
    "I have learned to lift well, with a hoist and without hurry.",
    "I read aloud: novels, letters, the racing pages.",
    "I have a van with a ramp and room for a wheelchair.",
    "I follow the football, whoever is losing.",
    "I keep a vegetable garden and bring what is ripe.",
];

/// How they speak of what they like.
const FREE_TIME: [(&str, &str, &str); 6] = [
    ("Away from work you find me with ", " or ", "."),
    ("In my own time it is ", " and ", "."),
    ("Ask me about ", ", or about ", "."),
    ("My weekends belong to ", " and ", "."),
    ("What keeps me going is ", ", and now and then ", "."),
    ("I am never far from ", " or ", "."),
];

/// What clients write.
const ABOUT_ME: [&str; 16] = [
    "I taught geography for forty years and still read maps in bed.",
    "I like my shower early and my tea strong.",
    "My hands are stiff in the morning, so buttons take a while.",
    "I was a carpenter, and I would like to build a bird house again.",
    "I miss the ocean and would love to see it once a month.",
    "I live with my cat, who decides who may sit where.",
    "I get tired after lunch, and brighter towards the evening.",
    "I follow the cricket and the news, in that order.",
    "I use a communication device; please give me the time to answer.",
    "I want to cook for myself again, beginning with soup.",
    "I am shy at first and talkative later.",
    "My grandchildren come on Sundays, and the house should be ready.",
    "I used to play the piano in church.",
    "I do best when the week has a rhythm.",
    "Crowds are hard for me; gardens are not.",
    "I would like somebody to walk to the library with.",
];

/// An introduction of two to four sentences that speaks of what they like.
pub(crate) fn introduction(chance: &mut Chance, interests: &[Interest]) -> String {
    let mut text = chance.pick(&OPENINGS).unwrap_or_default().to_owned();
    add_likes(&mut text, chance, interests, &FREE_TIME);
    for addition in chance.few(&ADDITIONS, 2) {
        text.push(' ');
        text.push_str(addition);
    }
    text
}

const LIKES: [(&str, &str, &str); 4] = [
    ("I enjoy ", " and ", "."),
    ("We could talk about ", " or ", "."),
    ("My days are better with ", " or ", " in them."),
    ("I have always liked ", " and ", "."),
];

/// One to three sentences of a client.
pub(crate) fn about_me(chance: &mut Chance, interests: &[Interest]) -> String {
    let mut text = chance.pick(&ABOUT_ME).unwrap_or_default().to_owned();
    if chance.percent(60) {
        add_likes(&mut text, chance, interests, &LIKES);
    }
    if chance.percent(40) {
        text.push(' ');
        text.push_str(chance.pick(&ABOUT_ME).unwrap_or_default());
    }
    text
}

fn add_likes(
    text: &mut String,
    chance: &mut Chance,
    interests: &[Interest],
    ways: &[(&str, &str, &str)],
) {
    let (Some(one), Some(other)) = (chance.pick(interests), chance.pick(interests)) else {
        return;
    };
    let Some((before, between, behind)) = chance.pick(ways) else {
        return;
    };
    text.push(' ');
    text.push_str(before);
    add_in_small_letters(text, one);
    if one != other {
        text.push_str(between);
        add_in_small_letters(text, other);
    }
    text.push_str(behind);
}

fn add_in_small_letters(text: &mut String, interest: Interest) {
    text.extend(interest.label().chars().flat_map(char::to_lowercase));
}
