//! Languages and cultural understanding.

use super::Vocabulary;

vocabulary! {
    /// A language spoken, by its ISO 639-1 code.
    Language {
        English = "en", "English";
        Arabic = "ar", "Arabic";
        Bengali = "bn", "Bengali";
        Bosnian = "bs", "Bosnian";
        Bulgarian = "bg", "Bulgarian";
        Burmese = "my", "Burmese";
        Chinese = "zh", "Chinese";
        Croatian = "hr", "Croatian";
        Czech = "cs", "Czech";
        Danish = "da", "Danish";
        Dutch = "nl", "Dutch";
        Estonian = "et", "Estonian";
        Finnish = "fi", "Finnish";
        French = "fr", "French";
        German = "de", "German";
        Greek = "el", "Greek";
        Gujarati = "gu", "Gujarati";
        Hebrew = "he", "Hebrew";
        Hindi = "hi", "Hindi";
        Hungarian = "hu", "Hungarian";
        Indonesian = "id", "Indonesian";
        Italian = "it", "Italian";
        Japanese = "ja", "Japanese";
        Khmer = "km", "Khmer";
        Korean = "ko", "Korean";
        Lao = "lo", "Lao";
        Latvian = "lv", "Latvian";
        Lithuanian = "lt", "Lithuanian";
        Macedonian = "mk", "Macedonian";
        Malay = "ms", "Malay";
        Malayalam = "ml", "Malayalam";
        Maltese = "mt", "Maltese";
        Marathi = "mr", "Marathi";
        Nepali = "ne", "Nepali";
        Norwegian = "no", "Norwegian";
        Persian = "fa", "Persian";
        Polish = "pl", "Polish";
        Portuguese = "pt", "Portuguese";
        Punjabi = "pa", "Punjabi";
        Romanian = "ro", "Romanian";
        Russian = "ru", "Russian";
        Samoan = "sm", "Samoan";
        Serbian = "sr", "Serbian";
        Sinhala = "si", "Sinhala";
        Slovak = "sk", "Slovak";
        Slovenian = "sl", "Slovenian";
        Somali = "so", "Somali";
        Spanish = "es", "Spanish";
        Swahili = "sw", "Swahili";
        Swedish = "sv", "Swedish";
        Tagalog = "tl", "Tagalog";
        Tamil = "ta", "Tamil";
        Telugu = "te", "Telugu";
        Thai = "th", "Thai";
        Tigrinya = "ti", "Tigrinya";
        Tongan = "to", "Tongan";
        Turkish = "tr", "Turkish";
        Ukrainian = "uk", "Ukrainian";
        Urdu = "ur", "Urdu";
        Vietnamese = "vi", "Vietnamese";
        Yiddish = "yi", "Yiddish";
        Amharic = "am", "Amharic";
        Maori = "mi", "Māori";
        Fijian = "fj", "Fijian";
    }

    /// A way of life that a support worker understands from living or working with it.
    ///
    /// Understanding, never origin: nobody's ancestry or belief is recorded or asked for.
    Culture {
        FirstNations = "first_nations", "First Nations communities";
        PacificIslander = "pacific_islander", "Pacific Islander communities";
        Mediterranean = "mediterranean", "Mediterranean communities";
        EasternEuropean = "eastern_european", "Eastern European communities";
        WesternEuropean = "western_european", "Western European communities";
        MiddleEastern = "middle_eastern", "Middle Eastern communities";
        SouthAsian = "south_asian", "South Asian communities";
        SoutheastAsian = "southeast_asian", "South-east Asian communities";
        EastAsian = "east_asian", "East Asian communities";
        EastAfrican = "east_african", "East African communities";
        WestAfrican = "west_african", "West African communities";
        LatinAmerican = "latin_american", "Latin American communities";
        HalalPractice = "halal_practice", "Halal food and practice";
        KosherPractice = "kosher_practice", "Kosher food and practice";
        VegetarianPractice = "vegetarian_practice", "Vegetarian households";
        ChristianPractice = "christian_practice", "Christian observance";
        MuslimPractice = "muslim_practice", "Muslim observance";
        JewishPractice = "jewish_practice", "Jewish observance";
        HinduPractice = "hindu_practice", "Hindu observance";
        BuddhistPractice = "buddhist_practice", "Buddhist observance";
        SikhPractice = "sikh_practice", "Sikh observance";
        DeafCommunity = "deaf_community", "The Deaf community";
        LgbtiqCommunity = "lgbtiq_community", "LGBTIQ+ communities";
        Veterans = "veterans", "Veterans";
        RuralLife = "rural_life", "Rural life";
        RefugeeExperience = "refugee_experience", "Refugee experience";
    }
}
