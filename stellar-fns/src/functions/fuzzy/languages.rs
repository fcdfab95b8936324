//! The languages that texts can be compared in. Lower case is formed by Unicode's rules in all of them.

/// BCP 47 tags.
pub(super) const LANGUAGES: &[&str] = &[
    "ar", "ar-AE", "ar-EG", "ar-SA", "be", "be-BY", "bg", "bg-BG", "bn", "ca", "ca-ES", "cs", "cs-CZ", "da", "da-DK",
    "de", "de-AT", "de-CH", "de-DE", "de-LU", "el", "el-CY", "el-GR", "en", "en-AU", "en-CA", "en-GB", "en-IE",
    "en-IN", "en-MT", "en-NZ", "en-PH", "en-SG", "en-US", "en-ZA", "es", "es-AR", "es-BO", "es-CL", "es-CO", "es-CR",
    "es-CU", "es-DO", "es-EC", "es-ES", "es-GT", "es-HN", "es-MX", "es-NI", "es-PA", "es-PE", "es-PR", "es-PY",
    "es-SV", "es-US", "es-UY", "es-VE", "et", "et-EE", "fa", "fi", "fi-FI", "fr", "fr-BE", "fr-CA", "fr-CH", "fr-FR",
    "fr-LU", "ga", "ga-IE", "he", "he-IL", "hi", "hi-IN", "hr", "hr-HR", "hu", "hu-HU", "id", "id-ID", "is", "is-IS",
    "it", "it-CH", "it-IT", "ja", "ja-JP", "ko", "ko-KR", "lt", "lt-LT", "lv", "lv-LV", "mk", "mk-MK", "ms", "ms-MY",
    "mt", "mt-MT", "nl", "nl-BE", "nl-NL", "no", "no-NO", "pl", "pl-PL", "pt", "pt-BR", "pt-PT", "ro", "ro-RO", "ru",
    "ru-RU", "sk", "sk-SK", "sl", "sl-SI", "sq", "sq-AL", "sr", "sr-RS", "sv", "sv-SE", "th", "th-TH", "tr", "tr-TR",
    "uk", "uk-UA", "vi", "vi-VN", "zh", "zh-CN", "zh-HK", "zh-SG", "zh-TW",
];
