//! What support is about: services, conditions, skills, and what may stand in the way.

use super::Vocabulary;

vocabulary! {
    /// What a support worker offers and a client asks for, priced by the hour.
    Service {
        PersonalCare = "personal_care", "Personal care";
        DomesticHelp = "domestic_help", "Help in the household";
        MealPreparation = "meal_preparation", "Preparing meals";
        SocialSupport = "social_support", "Company and social support";
        CommunityAccess = "community_access", "Getting out into the community";
        Transport = "transport", "Driving and transport";
        Shopping = "shopping", "Shopping and errands";
        Respite = "respite", "Respite for family carers";
        NursingCare = "nursing_care", "Nursing care";
        MedicationSupport = "medication_support", "Support with medication";
        TherapyAssistance = "therapy_assistance", "Therapy assistance";
        Gardening = "gardening", "Gardening";
        HomeMaintenance = "home_maintenance", "Home maintenance";
        OvernightSupport = "overnight_support", "Overnight support";
        PalliativeSupport = "palliative_support", "Palliative support";
        SkillBuilding = "skill_building", "Building skills for daily life";
    }

    /// A condition that asks for expertise.
    Condition {
        Dementia = "dementia", "Dementia";
        Palliative = "palliative", "Palliative care";
        Epilepsy = "epilepsy", "Epilepsy";
        Psychosocial = "psychosocial", "Psychosocial disability";
        Autism = "autism", "Autism";
        IntellectualDisability = "intellectual_disability", "Intellectual disability";
        AcquiredBrainInjury = "acquired_brain_injury", "Acquired brain injury";
        SpinalCordInjury = "spinal_cord_injury", "Spinal cord injury";
        Stroke = "stroke", "Stroke";
        Parkinsons = "parkinsons", "Parkinson's disease";
        MultipleSclerosis = "multiple_sclerosis", "Multiple sclerosis";
        MotorNeuroneDisease = "motor_neurone_disease", "Motor neurone disease";
        CerebralPalsy = "cerebral_palsy", "Cerebral palsy";
        Diabetes = "diabetes", "Diabetes";
        HeartDisease = "heart_disease", "Heart disease";
        LungDisease = "lung_disease", "Lung disease";
        Arthritis = "arthritis", "Arthritis";
        VisionImpairment = "vision_impairment", "Vision impairment";
        HearingImpairment = "hearing_impairment", "Hearing impairment";
        Depression = "depression", "Depression";
        Anxiety = "anxiety", "Anxiety";
        Cancer = "cancer", "Cancer";
        FallsRisk = "falls_risk", "Risk of falls";
        SwallowingDifficulty = "swallowing_difficulty", "Difficulty swallowing";
    }

    /// How well a support worker knows a condition.
    Expertise {
        Aware = "aware", "Aware of it";
        Experienced = "experienced", "Has worked with it";
        Trained = "trained", "Trained in it";
        Specialist = "specialist", "Specialised in it";
    }

    /// A certificate that a support worker holds and a client may need.
    Certification {
        FirstAid = "first_aid", "First aid";
        Cpr = "cpr", "Resuscitation";
        ManualHandling = "manual_handling", "Manual handling";
        MedicationAssistance = "medication_assistance", "Assisting with medication";
        CertificateIndividualSupport = "certificate_individual_support", "Certificate in individual support";
        CertificateDisability = "certificate_disability", "Certificate in disability support";
        DiplomaCommunityServices = "diploma_community_services", "Diploma of community services";
        EnrolledNurse = "enrolled_nurse", "Enrolled nurse";
        RegisteredNurse = "registered_nurse", "Registered nurse";
        DementiaCare = "dementia_care", "Dementia care";
        PalliativeCare = "palliative_care", "Palliative care";
        MentalHealthFirstAid = "mental_health_first_aid", "Mental health first aid";
        EpilepsyManagement = "epilepsy_management", "Epilepsy management";
        Dysphagia = "dysphagia", "Dysphagia and mealtime management";
        PegFeeding = "peg_feeding", "Tube feeding";
        Catheter = "catheter", "Catheter care";
        Stoma = "stoma", "Stoma care";
        FoodSafety = "food_safety", "Food safety";
        PositiveBehaviourSupport = "positive_behaviour_support", "Positive behaviour support";
        DriverLicence = "driver_licence", "Driver licence";
        InfectionControl = "infection_control", "Infection control";
        WorkingWithChildren = "working_with_children", "Clearance for work with children";
    }

    /// Something a support worker can do well.
    Skill {
        Cooking = "cooking", "Cooking";
        Baking = "baking", "Baking";
        Driving = "driving", "Driving";
        ModifiedVehicle = "modified_vehicle", "Driving a modified vehicle";
        SignLanguage = "sign_language", "Sign language";
        AssistiveCommunication = "assistive_communication", "Assistive communication devices";
        Computers = "computers", "Computers and telephones";
        HouseholdBudget = "household_budget", "Keeping a household budget";
        Paperwork = "paperwork", "Letters and forms";
        Haircare = "haircare", "Hair care";
        Massage = "massage", "Massage";
        ExerciseProgrammes = "exercise_programmes", "Exercise programmes";
        SwimmingSupport = "swimming_support", "Support in the water";
        MusicMaking = "music_making", "Making music";
        ArtsAndCrafts = "arts_and_crafts", "Arts and crafts";
        Tutoring = "tutoring", "Tutoring";
        JobCoaching = "job_coaching", "Job coaching";
        TravelTraining = "travel_training", "Travelling by public transport";
        AnimalCare = "animal_care", "Caring for animals";
        Handiwork = "handiwork", "Handiwork and repairs";
        DeEscalation = "de_escalation", "De-escalation";
        Interpreting = "interpreting", "Interpreting";
    }

    /// A task of support. A client's needs name those that come up; a support worker's boundaries those not accepted.
    Task {
        IntimateCare = "intimate_care", "Intimate care";
        Showering = "showering", "Showering and bathing";
        Toileting = "toileting", "Toileting";
        Transfers = "transfers", "Transfers by hand";
        HoistTransfers = "hoist_transfers", "Transfers with a hoist";
        WheelchairPushing = "wheelchair_pushing", "Pushing a wheelchair";
        MedicationPrompting = "medication_prompting", "Prompting medication";
        MedicationAdministering = "medication_administering", "Administering medication";
        Injections = "injections", "Injections";
        WoundCare = "wound_care", "Wound care";
        CatheterCare = "catheter_care", "Catheter care";
        StomaCare = "stoma_care", "Stoma care";
        TubeFeeding = "tube_feeding", "Tube feeding";
        MealAssistance = "meal_assistance", "Assisting with meals";
        HeavyCleaning = "heavy_cleaning", "Heavy cleaning";
        Laundry = "laundry", "Laundry";
        Cooking = "cooking", "Cooking";
        DrivingOwnCar = "driving_own_car", "Driving in the support worker's car";
        DrivingClientCar = "driving_client_car", "Driving the client's car";
        HandlingMoney = "handling_money", "Handling money";
        PetCare = "pet_care", "Looking after pets";
        BehaviourSupport = "behaviour_support", "Support when behaviour is challenging";
        OvernightAwake = "overnight_awake", "Staying awake overnight";
        OvernightAsleep = "overnight_asleep", "Sleeping over";
        CareOfChildren = "care_of_children", "Looking after children";
        EndOfLifeCare = "end_of_life_care", "End-of-life care";
    }

    /// Something at the place of support that bears on safety.
    Hazard {
        SmokingIndoors = "smoking_indoors", "Smoking indoors";
        Dogs = "dogs", "Dogs";
        Cats = "cats", "Cats";
        OtherAnimals = "other_animals", "Other animals";
        Stairs = "stairs", "Steep stairs";
        AggressiveBehaviour = "aggressive_behaviour", "Aggressive behaviour";
        Alcohol = "alcohol", "Heavy drinking";
        Drugs = "drugs", "Illicit drugs";
        Firearms = "firearms", "Firearms";
        Hoarding = "hoarding", "Hoarding";
        Isolated = "isolated", "An isolated place";
        NoMobileCoverage = "no_mobile_coverage", "No mobile coverage";
        InfectiousDisease = "infectious_disease", "Infectious disease";
        OxygenInUse = "oxygen_in_use", "Oxygen in use";
        OthersInHousehold = "others_in_household", "Conflict in the household";
        Mould = "mould", "Mould";
    }

    /// How the client moves about.
    Mobility {
        Independent = "independent", "Moves independently";
        Aided = "aided", "Uses a stick or walker";
        Supervised = "supervised", "Needs someone near";
        Wheelchair = "wheelchair", "Uses a wheelchair";
        AssistedTransfers = "assisted_transfers", "Needs help with transfers";
        Hoist = "hoist", "Needs a hoist";
    }

    /// How much support is needed.
    CareLevel {
        Light = "light", "Light";
        Moderate = "moderate", "Moderate";
        High = "high", "High";
        Complex = "complex", "Complex";
    }
}

impl Mobility {
    /// The task that this way of moving brings with it, whether or not the request lists it.
    #[must_use]
    pub const fn brings(self) -> Option<Task> {
        match self {
            Self::Independent | Self::Aided | Self::Supervised => None,
            Self::Wheelchair => Some(Task::WheelchairPushing),
            Self::AssistedTransfers => Some(Task::Transfers),
            Self::Hoist => Some(Task::HoistTransfers),
        }
    }
}
