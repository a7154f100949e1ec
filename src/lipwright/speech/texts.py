"""What synthetic voices say: everyday words of many languages, and words that only sound like them."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from lipwright.core.errors import ConfigError

WORDS: dict[str, str] = {
    "en": (
        "morning people because between about money paper bread water mother father brother summer winter evening "
        "window garden yellow purple orange number little bottle wonderful beautiful problem question answer weather "
        "never always maybe perhaps family government minister economy market country village mountain river ocean "
        "think thought through both with without move film five seven eleven twelve hope boat boy voice noise choice "
        "house south loud round how now she show fish wash watch church judge large bridge measure pleasure vision "
        "world word work first third bird early over under other rather remember december member promise public "
        "people private power popular important impossible political company committee common moment memory simple "
        "example apple happy paper open opened moving improve above below behind before forever everyone everybody"
    ),
    "de": (
        "guten morgen wasser mutter bruder sommer fenster garten leben arbeit problem fragen antwort wetter immer "
        "vielleicht regierung wirtschaft markt dorf berge fluss meinung haben wollen müssen können schule brücke"
    ),
    "es": (
        "buenos días mañana madre padre hermano verano ventana jardín problema pregunta respuesta siempre nunca "
        "gobierno economía mercado pueblo montaña empezar hombre mujer bueno blanco verde amarillo importante"
    ),
    "it": (
        "buongiorno mamma padre fratello estate finestra giardino problema domanda risposta sempre mai governo "
        "economia mercato paese montagna famiglia bambino bello bianco verde importante momento memoria semplice"
    ),
    "fr": (
        "bonjour maman père frère été fenêtre jardin problème question réponse toujours jamais gouvernement marché "
        "village montagne famille enfant beau blanc vert jaune important moment feuille peur soeur deux bleu vous "
        "nous rouge chaud bouche vivre pomme femme homme bon pain vin brun lune rue pluie nuit oui chien juge"
    ),
    "pt": (
        "bom dia mãe pai irmão verão janela jardim problema pergunta resposta sempre nunca governo mercado aldeia "
        "montanha família criança bonito branco verde amarelo importante momento água palavra mulher homem chuva "
        "peixe livro fogo vida feliz cabeça mão olho noite coração palha filho gente hoje açúcar"
    ),
    "sv": (
        "god morgon mamma pappa bror sommar fönster trädgård fråga svar alltid aldrig regering marknad fjäll familj "
        "barn vacker vit grön viktig stund kött öga hus ljus sjuk skön bok bröd vatten människa kvinna måne björn"
    ),
    "da": (
        "god morgen mor far bror sommer vindue have spørgsmål svar altid aldrig regering marked familie barn smuk "
        "hvid grøn vigtig øjeblik brød vand menneske kvinde måne bjørn hus lys syg bog fisk kage pige"
    ),
    "nb": (
        "god morgen mor far bror sommer vindu hage spørsmål svar alltid aldri regjering marked fjell familie barn "
        "vakker hvit grønn viktig øyeblikk brød vann menneske kvinne måne bjørn hus lys syk bok fisk kjøtt skje"
    ),
    "nl": (
        "goedemorgen moeder vader broer zomer venster tuin vraag antwoord altijd nooit regering markt dorp berg "
        "familie kind mooi wit groen geel belangrijk ogenblik brood water mens vrouw maan beer huis licht ziek boek "
        "vis vuur muur neus oog buiten leeuw schip wijn fiets blauw"
    ),
    "pl": (
        "dzień dobry mama ojciec brat lato okno ogród pytanie odpowiedź zawsze nigdy rząd rynek wieś góra rodzina "
        "dziecko piękny biały zielony żółty ważny chwila chleb woda człowiek kobieta księżyc dom światło książka "
        "ryba ogień ściana nos oko szczęście wiśnia łódka miłość ćma bułka"
    ),
    "cs": (
        "dobrý den máma otec bratr léto okno zahrada otázka odpověď vždy nikdy vláda trh vesnice hora rodina dítě "
        "krásný bílý zelený žlutý důležitý chvíle chléb voda člověk žena měsíc dům světlo kniha ryba oheň zeď nos "
        "oko štěstí třešeň řeka přítel babička kůň čaj pivo ucho muž"
    ),
    "ru": (
        "доброе утро мама отец брат лето окно сад вопрос ответ всегда никогда правительство рынок деревня гора семья "
        "ребёнок красивый белый зелёный жёлтый важный минута хлеб вода человек женщина луна дом свет книга рыба "
        "огонь стена нос глаз счастье вишня лодка любовь пять мышь шум чай фабрика бумага"
    ),
    "tr": (
        "günaydın anne baba kardeş yaz pencere bahçe soru cevap her zaman asla hükümet pazar köy dağ aile çocuk "
        "güzel beyaz yeşil sarı önemli ekmek su insan kadın ay ev ışık kitap balık ateş duvar burun göz mutluluk "
        "vişne bulut üzüm çiçek şeker fındık yumurta mavi"
    ),
    "fi": (
        "hyvää huomenta äiti isä veli kesä ikkuna puutarha kysymys vastaus aina hallitus markkinat kylä vuori perhe "
        "lapsi kaunis valkoinen vihreä keltainen tärkeä hetki leipä vesi ihminen nainen kuu talo valo kirja kala "
        "tuli seinä nenä silmä onni pöytä yö työ mäki poika hymy vauva"
    ),
    "hu": (
        "jó reggelt anya apa testvér nyár ablak kert kérdés válasz mindig soha kormány piac falu hegy család gyerek "
        "szép fehér zöld sárga fontos pillanat kenyér víz ember asszony hold ház fény könyv hal tűz fal orr szem "
        "boldogság csoki fürdő mozi vonat papír gyümölcs"
    ),
    "ro": (
        "bună dimineața mamă tată frate vară fereastră grădină întrebare răspuns mereu niciodată guvern piață sat "
        "munte familie copil frumos alb verde galben important moment pâine apă om femeie lună casă lumină carte "
        "pește foc perete nas ochi fericire"
    ),
    "el": (
        "καλημέρα μαμά πατέρας αδελφός καλοκαίρι παράθυρο κήπος ερώτηση απάντηση πάντα ποτέ κυβέρνηση αγορά χωριό "
        "βουνό οικογένεια παιδί όμορφος άσπρος πράσινος κίτρινος σημαντικός στιγμή ψωμί νερό άνθρωπος γυναίκα φεγγάρι "
        "σπίτι φως βιβλίο ψάρι φωτιά τοίχος μύτη μάτι ευτυχία"
    ),
    "hi": (
        "नमस्ते माता पिता भाई गर्मी खिड़की बगीचा सवाल जवाब हमेशा कभी सरकार बाज़ार गाँव पहाड़ परिवार बच्चा सुंदर सफ़ेद हरा पीला "
        "ज़रूरी समय रोटी पानी आदमी औरत चाँद घर रोशनी किताब मछली आग दीवार नाक आँख खुशी फूल बादल भूमि मौसम"
    ),
    "mr": (
        "नमस्कार आई बाबा भाऊ उन्हाळा खिडकी बाग प्रश्न उत्तर नेहमी सरकार बाजार गाव डोंगर कुटुंब मूल सुंदर पांढरा हिरवा पिवळा "
        "महत्त्वाचे वेळ पाणी माणूस बाई चंद्र घर प्रकाश पुस्तक मासा आग भिंत नाक डोळा आनंद फूल"
    ),
    "te": (
        "నమస్కారం అమ్మ నాన్న అన్న వేసవి కిటికీ తోట ప్రశ్న జవాబు ఎప్పుడూ ప్రభుత్వం మార్కెట్ గ్రామం కొండ కుటుంబం పిల్ల అందమైన తెలుపు ఆకుపచ్చ "
        "పసుపు ముఖ్యం సమయం నీరు మనిషి చంద్రుడు ఇల్లు వెలుగు పుస్తకం చేప మంట గోడ ముక్కు కన్ను ఆనందం పువ్వు"
    ),
    "ko": (
        "안녕 엄마 아버지 동생 여름 창문 정원 질문 대답 항상 정부 시장 마을 산 가족 아이 아름다운 하얀 초록 노란 "
        "중요한 순간 빵 물 사람 여자 달 집 빛 책 물고기 불 벽 코 눈 행복 꽃 구름 바람 비행기 포도 학교 친구 음악 우유"
    ),
    "cmn": (
        "你好 妈妈 爸爸 弟弟 夏天 窗户 花园 问题 回答 总是 政府 市场 村子 高山 家庭 孩子 美丽 白色 绿色 黄色 重要 "
        "时间 面包 喝水 男人 女人 月亮 房子 光明 书本 吃鱼 火车 墙壁 鼻子 眼睛 幸福 飞机 朋友 苹果 播放 佛法 乌龟 雨伞"
    ),
    "ja": (
        "おはよう おかあさん おとうさん きょうだい なつ まど にわ しつもん こたえ いつも せいふ いちば むら やま "
        "かぞく こども きれい しろい みどり きいろ だいじ じかん ぱん みず "
        "ひと おんな つき いえ ひかり ほん さかな ひ かべ はな め しあわせ "
        "ふね わたし べんとう"
    ),
    "vi": (
        "xin chào mẹ cha anh em mùa hè cửa sổ vườn câu hỏi trả lời luôn luôn chính phủ chợ làng núi gia đình trẻ đẹp "
        "trắng xanh vàng quan trọng lúc bánh mì nước người phụ nữ mặt trăng nhà ánh sáng sách cá lửa tường mũi mắt "
        "hạnh phúc bố biển phở"
    ),
    "ar": (
        "صباح الخير أم أب أخ صيف نافذة حديقة سؤال جواب دائما أبدا حكومة سوق قرية جبل عائلة طفل جميل أبيض أخضر أصفر "
        "مهم لحظة خبز ماء رجل امرأة قمر بيت ضوء كتاب سمك نار جدار أنف عين سعادة باب فم وقت"
    ),
    "id": (
        "selamat pagi ibu bapak adik musim jendela kebun pertanyaan jawaban selalu pernah pemerintah pasar desa gunung "
        "keluarga anak cantik putih hijau kuning penting waktu roti air orang wanita bulan rumah cahaya buku ikan api "
        "dinding hidung mata bahagia pohon mobil"
    ),
    "ca": (
        "bon dia mare pare germà estiu finestra jardí pregunta resposta sempre mai govern mercat poble muntanya "
        "família nen bonic blanc verd groc important moment pa aigua home dona lluna casa llum llibre peix foc paret "
        "nas ull felicitat cabell vaixell jove"
    ),
}
"""Written for this project; keys are language codes."""

_JOINED = frozenset({"cmn", "ja"})
"""Written without spaces."""


def sentence(language: str, rng: np.random.Generator, invented: float = 0.4) -> str:
    """Some 4 to 9 random words with punctuation, a share of them invented. ConfigError for an unknown language."""
    base = language.split("-")[0]
    if base not in WORDS:
        raise ConfigError(f"no words are known for language '{language}'; available: {', '.join(WORDS)}")
    words = WORDS[base].split()
    count = int(rng.integers(4, 10))
    said = [invent(words, rng) if rng.random() < invented else str(rng.choice(words)) for _ in range(count)]
    comma = int(rng.integers(2, count)) if rng.random() < 0.4 else count
    said[comma - 1] += "," if comma < count else ""
    return ("" if base in _JOINED else " ").join(said) + "."


def invent(words: list[str], rng: np.random.Generator) -> str:
    """A word whose every three signs in a row occur in `words` (two, where the third is free)."""
    following: dict[str, list[str]] = defaultdict(list)
    for word in words:
        padded = f"  {word} "
        for a in range(len(padded) - 2):
            following[padded[a : a + 2]].append(padded[a + 2])
    found = ""
    while len(found) < 12:
        sign = str(rng.choice(following[("  " + found)[-2:]]))
        if sign == " ":
            break
        found += sign
    return found
