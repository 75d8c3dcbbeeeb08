"""A few sentences in each of twenty scripts: what tests train tokenizers on and make texts from."""

from __future__ import annotations

SENTENCES: dict[str, str] = {
    "Latin": "The river carried small boats past old stone houses while children watched from a wooden bridge and counted "
    "each red sail. What is the capital of France? My sister is allergic to peanuts but not to almonds. Le garçon a oublié "
    "son parapluie à l'école. Die Straßenbahn fährt über die Brücke. task: search result | query: title: none | text: "
    "def parse(raw: bytes) -> Request: return Request(raw) # 1234567890 3.14159 -42 50% naïve café façade",
    "Cyrillic": "Мы договорились встретиться у фонтана в полдень, но поезд опоздал на сорок минут. Їжак з'їв яблуко.",
    "Greek": "Το πλοίο φεύγει κάθε πρωί από το παλιό λιμάνι και γυρίζει το βράδυ.",
    "Han": "会议改到星期五下午三点，请带上新的图纸。我们在老图书馆讨论下一次旅行。",
    "Kana": "昨日の夕方、駅前の本屋で古い地図を買いました。カタカナとひらがな。",
    "Hangul": "고양이가 창문 옆에서 하루 종일 잠을 잤다. 회의는 금요일 오후에 있다.",
    "Arabic": "اجتمعنا في المكتبة القديمة لنتحدث عن الرحلة القادمة. أين يقع البيت؟",
    "Hebrew": "הרכבת האחרונה לחיפה יוצאת בשעה אחת עשרה בלילה.",
    "Devanagari": "मेरी दादी हर रविवार को बगीचे में गुलाब लगाती हैं।",
    "Bengali": "আমরা পুরানো গ্রন্থাগারে পরের ভ্রমণ নিয়ে কথা বললাম।",
    "Gurmukhi": "ਬੱਚੇ ਲੱਕੜ ਦੇ ਪੁਲ ਤੋਂ ਕਿਸ਼ਤੀਆਂ ਵੇਖ ਰਹੇ ਸਨ।",
    "Gujarati": "બાળકો લાકડાના પુલ પરથી હોડીઓ જોતા હતા.",
    "Tamil": "பழைய நூலகத்தில் அடுத்த பயணம் பற்றி பேசினோம்.",
    "Telugu": "మేము పాత గ్రంథాలయంలో తదుపరి ప్రయాణం గురించి మాట్లాడాము.",
    "Kannada": "ನಾವು ಹಳೆಯ ಗ್ರಂಥಾಲಯದಲ್ಲಿ ಮುಂದಿನ ಪ್ರವಾಸದ ಬಗ್ಗೆ ಮಾತನಾಡಿದೆವು.",
    "Malayalam": "കുട്ടികൾ മരപ്പാലത്തിൽ നിന്ന് വള്ളങ്ങൾ കണ്ടു.",
    "Thai": "รถไฟขบวนสุดท้ายออกจากสถานีตอนสี่ทุ่ม",
    "Georgian": "ბავშვები ხის ხიდიდან ნავებს უყურებდნენ.",
    "Armenian": "Երեխաները փայտե կամրջից նայում էին նավակներին։",
    "Ethiopic": "ልጆቹ ከእንጨት ድልድይ ላይ ጀልባዎችን ተመለከቱ።",
}
"""Script → text. Twenty of them; together they hold right-to-left writing, combining marks and writing without spaces."""
