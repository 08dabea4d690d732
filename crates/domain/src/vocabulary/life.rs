//! What people are and like.

use super::Vocabulary;

vocabulary! {
    /// Gender, as stated by the support worker.
    Gender {
        Woman = "woman", "Woman";
        Man = "man", "Man";
        NonBinary = "non_binary", "Non-binary";
        Unstated = "unstated", "Not stated";
    }

    /// A hobby or interest that can be shared.
    Interest {
        Reading = "reading", "Reading";
        Poetry = "poetry", "Poetry";
        CreativeWriting = "creative_writing", "Creative writing";
        History = "history", "History";
        LocalHistory = "local_history", "Local history";
        FamilyHistory = "family_history", "Family history";
        Politics = "politics", "Politics and current affairs";
        Philosophy = "philosophy", "Philosophy";
        Science = "science", "Science";
        Astronomy = "astronomy", "Astronomy";
        Museums = "museums", "Museums and galleries";
        Theatre = "theatre", "Theatre";
        Opera = "opera", "Opera";
        ClassicalMusic = "classical_music", "Classical music";
        Jazz = "jazz", "Jazz";
        RockMusic = "rock_music", "Rock music";
        CountryMusic = "country_music", "Country music";
        ChoirSinging = "choir_singing", "Singing in a choir";
        PlayingInstruments = "playing_instruments", "Playing an instrument";
        Dancing = "dancing", "Dancing";
        Cinema = "cinema", "Films and cinema";
        Television = "television", "Television series";
        Radio = "radio", "Radio";
        Podcasts = "podcasts", "Podcasts";
        Painting = "painting", "Painting and drawing";
        Pottery = "pottery", "Pottery";
        Photography = "photography", "Photography";
        Knitting = "knitting", "Knitting and crochet";
        Sewing = "sewing", "Sewing and quilting";
        Woodwork = "woodwork", "Woodwork";
        ModelMaking = "model_making", "Model making";
        ModelRailways = "model_railways", "Model railways";
        Cars = "cars", "Cars";
        Motorcycles = "motorcycles", "Motorcycles";
        Cooking = "cooking", "Cooking";
        Baking = "baking", "Baking";
        Wine = "wine", "Wine";
        Coffee = "coffee", "Coffee and cafés";
        EatingOut = "eating_out", "Eating out";
        Gardening = "gardening", "Gardening";
        HousePlants = "house_plants", "House plants";
        BirdWatching = "bird_watching", "Bird watching";
        Dogs = "dogs", "Dogs";
        Cats = "cats", "Cats";
        Horses = "horses", "Horses";
        Aquariums = "aquariums", "Aquariums";
        Walking = "walking", "Walking";
        Hiking = "hiking", "Hiking";
        Camping = "camping", "Camping";
        Fishing = "fishing", "Fishing";
        Boating = "boating", "Boating and sailing";
        Beach = "beach", "The beach";
        Swimming = "swimming", "Swimming";
        Cycling = "cycling", "Cycling";
        Yoga = "yoga", "Yoga";
        TaiChi = "tai_chi", "Tai chi";
        Gym = "gym", "The gym";
        Running = "running", "Running";
        Football = "football", "Football";
        Rugby = "rugby", "Rugby";
        Cricket = "cricket", "Cricket";
        Tennis = "tennis", "Tennis";
        Golf = "golf", "Golf";
        LawnBowls = "lawn_bowls", "Lawn bowls";
        Basketball = "basketball", "Basketball";
        Netball = "netball", "Netball";
        HorseRacing = "horse_racing", "Horse racing";
        MotorSport = "motor_sport", "Motor sport";
        MartialArts = "martial_arts", "Martial arts";
        Chess = "chess", "Chess";
        CardGames = "card_games", "Card games";
        BoardGames = "board_games", "Board games";
        Crosswords = "crosswords", "Crosswords and puzzles";
        JigsawPuzzles = "jigsaw_puzzles", "Jigsaw puzzles";
        Bingo = "bingo", "Bingo";
        VideoGames = "video_games", "Video games";
        Computers = "computers", "Computers";
        Electronics = "electronics", "Electronics";
        Languages = "languages", "Learning languages";
        Travel = "travel", "Travel";
        TrainJourneys = "train_journeys", "Train journeys";
        Aviation = "aviation", "Aviation";
        Fashion = "fashion", "Fashion";
        Makeup = "makeup", "Make-up and beauty";
        Shopping = "shopping", "Shopping";
        Markets = "markets", "Markets";
        Antiques = "antiques", "Antiques and collecting";
        Stamps = "stamps", "Stamps and coins";
        HomeDecorating = "home_decorating", "Home decorating";
        Volunteering = "volunteering", "Volunteering";
        CommunityGroups = "community_groups", "Community groups";
        FaithLife = "faith_life", "Faith and spirituality";
        Meditation = "meditation", "Meditation";
        Storytelling = "storytelling", "Storytelling";
        Comedy = "comedy", "Comedy";
        Magic = "magic", "Magic";
        Anime = "anime", "Anime and comics";
        ScienceFiction = "science_fiction", "Science fiction and fantasy";
        Robotics = "robotics", "Robotics";
        Beekeeping = "beekeeping", "Beekeeping";
        Environment = "environment", "The environment";
        Weather = "weather", "The weather";
    }
}
