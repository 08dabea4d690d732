//! The words that matching of free text rests on, as data.

/// Words that say nothing of anybody: English grammar, and what everybody in support work writes.
pub(super) const ORDINARY: &str = "
    a about above after again all also although always am among an and another any anybody anyone anything are around
    as ask at away back bad be became because become been before began begin behind being below beside best better
    between both bring broke but by call came can cannot close come comes could did do does doing done down during each
    early easily easy eat eight eighteen eighty either eleven else enjoy enough even evening ever every everybody
    everyone everything extra far feel feels felt few fifteen fifty find finish first fit five for forget forty found
    four fourteen from full gave get gets getting give given gives go goes going gone good got great had half hand
    happy hard has have having he hear help helped helpful helping her here hers herself him himself his hold how
    hundred i if in instead into is it its itself just keep kept kind knew know known large last late lately later
    learn least leave left less let like likely listen little live lived lives living long look looking lot lots love
    loved loves made make makes making many matter matters may maybe me mean means meet might mind mine minute moment
    month months more morning most much must my myself near nearby nearly need needed needs never new next nice night
    nine nineteen ninety no nobody none nor not nothing notice now of off often old on once one ones only open or
    order other others ought our ours ourselves out over own part past people perhaps person place plan please plenty
    possible put quite rather ready real really remember right room run same saw say says see seem seen sees self
    set seven seventy several shall she short should show side since sit six sixteen sixty small so some somebody
    someone something sometimes somewhere soon speak spend start started stay still stop such sure take taken takes
    taking talk tell ten than thank that the their theirs them themselves then there these they thing things think
    thirteen thirty this those though thought thousand three through throughout till time times to today together
    told tomorrow too took toward towards tried try trying turn twelve twenty twice two under until up upon us use
    used useful usual usually very wait want wanted wants was way ways we week weekend weekly weeks well went were what
    whatever when whenever where wherever whether which while who whoever whole whom whose why will wish with within
    without word words would yes yesterday yet you your yours yourself year years young
    able aged appointment care cared carer caring certificate certified client clients company condition daily day
    days disability disabled experience experienced experiences family friendly gentle handle home homes hour hours
    house household independent independence individual job jobs look manage patient patience personal professional
    qualified qualification quality quiet reliable respect respectful routine service services skill skills speciality
    support supported supporting task tasks team train trained training visit visiting visits work worked worker
    workers working
    agree ahead ago along alone believe carry change clear club cross cut date decide different direct disease drive
    ease fine follow forward fuss glad guess happiest heavy light list local longer loud motor multiple note pass
    piece play practice practise proper rare regular rest stand strong term throw trust value watch write
    doctor wife husband mother father mum dad parent parents daughter son sister brother friend friends
";

/// Words that mean the same here: the one that stands for all, and the others.
///
/// INVARIANT: no word is there twice, by its stem; a test looks.
pub(super) const SYNONYMS: [(&str, &str); 43] = [
    ("antiques", "heirlooms collectables vintage"),
    ("art", "artist gallery"),
    ("baking", "cake bread pastry biscuits"),
    ("beach", "seaside surf ocean sea coast"),
    ("beekeeping", "bees honey hives"),
    ("birds", "birdwatching parrot budgie cockatoo"),
    ("boating", "sailing yacht kayak canoe rowing"),
    ("books", "novels library bookshop literature reading"),
    ("cars", "automobile"),
    ("cards", "bridge canasta euchre poker rummy"),
    ("cats", "kitten kitty feline"),
    ("children", "kids toddler grandchildren grandkids"),
    ("cinema", "films movies"),
    ("comics", "manga anime"),
    ("computers", "laptop internet software technology"),
    ("cooking", "cuisine recipes kitchen"),
    ("cycling", "bike bicycle cyclist"),
    ("dancing", "ballroom waltz tango salsa"),
    ("dogs", "puppy canine hound"),
    ("exercise", "gym physiotherapy stretches"),
    (
        "faith",
        "church mosque temple synagogue prayer praying religion religious spirituality gospel",
    ),
    ("fishing", "angling"),
    ("football", "footy soccer"),
    ("gardening", "vegetable roses orchard"),
    ("health", "medical clinic hospital"),
    ("history", "historical heritage genealogy"),
    ("humour", "laugh laughter jokes funny comedy"),
    ("instrument", "piano guitar violin flute ukulele drums"),
    ("knitting", "crochet wool yarn"),
    ("maps", "geography atlas"),
    ("markets", "bazaar stalls"),
    ("music", "songs concert band"),
    ("outdoors", "bush bushwalking hiking camping nature"),
    ("painting", "drawing sketch watercolour"),
    ("plants", "succulents orchids ferns"),
    ("poetry", "poems poet verse"),
    ("politics", "news headlines parliament"),
    ("sewing", "quilting embroidery dressmaking"),
    ("singing", "choir choral karaoke"),
    ("theatre", "drama stage"),
    ("travel", "journeys holidays abroad"),
    ("walking", "stroll"),
    ("woodwork", "carpentry joinery timber"),
];
