//! The words by which a key tells that it names personal data, and those by which it tells that it does not.
//!
//! They are matched as whole words, after snake, camel and kebab case are split, and without regard to the case of ASCII
//! letters. What languages and forms write in one word is listed in one word. Lists are texts with a bar between their
//! entries, because a module with a pointer to each would be larger.

/// Words for one kind of personal data.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// What they name.
    pub name: &'static str,
    /// Why they are looked for.
    pub reason: &'static str,
    /// Runs of words.
    pub anywhere: &'static str,
    /// Runs of words that name personal data only if they are the whole key, because they have other meanings too.
    pub alone: &'static str,
    /// Whether a small number is personal too, as an age is. Otherwise, it is taken for a count.
    pub any_number: bool,
}

/// The least number under a personal key that is not taken for a count.
pub const LEAST_NUMBER: u32 = 10_000;

/// Every kind.
pub const GROUPS: [Group; 14] = [
    Group {
        name: "e-mail addresses",
        reason: "The address of a person; `email` at the top of the event is hashed instead.",
        anywhere: "email|emails|e mail|mail address|mailaddress|emailaddress|emailaddresses|useremail|emailadresse|\
            emailadres|mailadres|adresse mail|courriel|correo|posta elettronica|correio eletronico|\
            correio eletrônico|eposta|e posta|メール|メールアドレス|邮箱|电子邮件|电子邮箱|電子郵件|이메일|почта|имейл|البريد|بريد",
        alone: "em",
        any_number: false,
    },
    Group {
        name: "telephone numbers",
        reason: "A number by which a person is reached.",
        anywhere: "phone|phones|telephone|telephones|tel|fax|faxnumber|phonenumber|phonenumbers|telephonenumber|\
            mobilenumber|mobilephone|cellphone|homephone|workphone|msisdn|mobile number|mobile no|cell number|\
            whatsapp number|telefon|telefonnummer|handynummer|mobilnummer|rufnummer|téléphone|telefono|teléfono|\
            cellulare|telefone|telefoon|telefoonnummer|telefonu|電話|電話番号|携帯|携帯電話|携帯番号|电话|电话号码|手机|手机号|手机号码|전화|\
            전화번호|휴대폰|휴대전화|телефон|телефона|Телефон|هاتف|الهاتف|جوال|الجوال",
        alone: "mobile|ph|handy|movil|móvil|celular|telemovel|telemóvel|mobiel|komorka|мобильный",
        any_number: false,
    },
    Group {
        name: "names of people",
        reason: "What a person is called. `name` alone may be that of a product.",
        anywhere: "first name|last name|full name|family name|given name|additional name|middle name|maiden name|\
            real name|legal name|nick name|user name|customer name|contact name|person name|recipient name|\
            passenger name|cardholder name|holder name|billing name|buyer name|guest name|patient name|\
            employee name|student name|owner name|your name|cc name|account holder|display name last|surname|\
            surnames|forename|forenames|firstname|lastname|fullname|givenname|familyname|middlename|nickname|\
            username|usernames|customername|contactname|fname|lname|vorname|nachname|familienname|geburtsname|\
            benutzername|kundenname|vollständiger name|prenom|prénom|nom de famille|nom famille|nom complet|\
            apellido|apellidos|nombre completo|nombre usuario|nombre de usuario|cognome|nome completo|\
            nome utente|sobrenome|primeiro nome|voornaam|achternaam|volledige naam|gebruikersnaam|imie|imię|\
            nazwisko|soyad|soyadı|adsoyad|氏名|名前|姓名|お名前|苗字|名字|이름|성명|성함|имя|фамилия|отчество|фио|Имя|Фамилия|\
            Отчество|ФИО|الاسم|اسم|用户名|真实姓名",
        alone: "fn|ln|nom|nombre|nome|naam",
        any_number: false,
    },
    Group {
        name: "addresses",
        reason: "Where a person lives.",
        anywhere: "address|addresses|streetaddress|homeaddress|street name|streetname|street number|house number|\
            housenumber|post office box|postofficebox|adresse|anschrift|hausnummer|straße|strasse|direccion|\
            dirección|domicilio|indirizzo|endereco|endereço|adres|straatnaam|huisnummer|住所|地址|주소|адрес|Адрес|\
            العنوان|住址",
        alone: "street|rue|calle|rua|morada|straat|ulica|sokak|улица",
        any_number: false,
    },
    Group {
        name: "postal codes",
        reason: "Together with little else, a postal code singles a person out.",
        anywhere: "postal code|post code|postcode|postcodes|postalcode|zip code|zipcode|billing zip|shipping zip|\
            home zip|postleitzahl|code postal|codigo postal|código postal|codice postale|kod pocztowy|\
            posta kodu|郵便番号|邮编|邮政编码|우편번호|почтовый индекс|الرمز البريدي",
        alone: "zip|zp|plz|cep|индекс",
        any_number: false,
    },
    Group {
        name: "birth",
        reason: "When and where a person was born.",
        anywhere: "birth|birthday|birthdate|birthplace|dateofbirth|dob|bday|death date|geburtsdatum|geburtstag|\
            naissance|nacimiento|nascita|nascimento|geboortedatum|urodzenia|dogum tarihi|doğum tarihi|生年月日|生日|\
            出生日期|생년월일|рождения|الميلاد|birth date|birth day|birth year|birth month|birth place|誕生日|생일",
        alone: "",
        any_number: false,
    },
    Group {
        name: "ages",
        reason: "How old a person is, which a small number says too.",
        anywhere: "user age|customer age|patient age|person age",
        alone: "age|alter|edad|idade|leeftijd|wiek|возраст|年齢|年龄|나이",
        any_number: true,
    },
    Group {
        name: "sex, origin and belief",
        reason: "The law protects these more than other data.",
        anywhere: "user gender|customer gender|sexual orientation|ethnicity|ethnic origin|nationality|citizenship|\
            marital status|relationship status|military status|religion|religions|religious affiliation|\
            political party|political view|political views|political affiliation|political opinion|trade union|\
            union membership",
        alone: "gender|sex|geschlecht|sexe|sexo|genero|género|sesso|geslacht|plec|płeć|cinsiyet|性別|性别|성별|пол|الجنس",
        any_number: false,
    },
    Group {
        name: "numbers of identity",
        reason: "What an authority knows a person by.",
        anywhere: "ssn|social security|socialsecurity|national id|national insurance|nhs number|passport|passports|\
            driver license|drivers license|driver licence|drivers licence|driving license|driving licence|\
            driverslicense|tax id|taxid|tax number|medical record number|patient id|patient number|patient name|steuernummer|steuer id|personalausweis|\
            reisepass|reisepassnummer|securite sociale|sécurité sociale|numero fiscal|numéro fiscal|\
            codice fiscale|burgerservicenummer|pesel|kimlik no|tc kimlik|マイナンバー|身份证|身份证号|身份证号码|주민등록번호|паспорт|\
            снилс|الهوية",
        alone: "dni|nif|nie|cpf|rut|cuit|curp|bsn|инн",
        any_number: false,
    },
    Group {
        name: "means of payment",
        reason: "What a person pays with.",
        anywhere: "card number|cardnumber|credit card|creditcard|debit card|debitcard|cc number|cc csc|cvc|cvv|iban|\
            account number|accountnumber|bank account|bankaccount|routing number|sort code|pin code|kontonummer|\
            kreditkartennummer|rekeningnummer|numero de tarjeta|numero do cartao|número do cartão|\
            numero di carta|numero de carte|カード番号|银行卡|银行卡号|카드번호|номер карты",
        alone: "",
        any_number: false,
    },
    Group {
        name: "passwords and keys",
        reason: "Whoever reads one can act as somebody else.",
        anywhere: "password|passwords|passwd|pwd|passphrase|passcode|access token|accesstoken|auth token|authtoken|\
            refresh token|id token|session token|bearer token|api key|apikey|secret key|client secret|\
            private key|passwort|kennwort|mot de passe|contraseña|contrasena|senha|wachtwoord|haslo|hasło|sifre|\
            şifre|パスワード|密码|密碼|비밀번호|пароль|Пароль|كلمة المرور",
        alone: "parola",
        any_number: false,
    },
    Group {
        name: "addresses of devices",
        reason: "The address that a person's device has on the network.",
        anywhere: "ip|ipaddr|ipaddress|ipv|clientip|userip|remoteip|remote addr|remoteaddr|forwarded for",
        alone: "",
        any_number: false,
    },
    Group {
        name: "health",
        reason: "What ails a person.",
        anywhere: "diagnosis|diagnoses|disease|diseases|illness|symptom|symptoms|medication|medications|prescription|\
            prescriptions|patient|allergy|allergies|disability|hiv|pregnant|pregnancy|blood type|\
            medical condition|medical history|medical record|health condition|pregnancy status|hiv status|\
            disability status|vaccination status|health status",
        alone: "",
        any_number: false,
    },
    Group {
        name: "whereabouts",
        reason: "Where a person is, to within a few metres.",
        anywhere: "gps latitude|gps longitude|user latitude|user longitude|geo latitude|geo longitude",
        alone: "latitude|longitude",
        any_number: true,
    },
];

/// Words that make a thing or a measure of what is named before them: the template of an e-mail, the model of a telephone.
pub const DESCRIBING: &str = "alert|alerts|amount|app|apps|attempt|attempts|automation|avg|badge|bank|banner|bar|batch|book|bounce|\
    bounces|brand|browser|button|campaign|campaigns|card|cards|carrier|case|category|center|channel|check|city|\
    class|click|clicks|client|clients|cohort|color|column|company|completion|component|confidence|config|\
    consent|content|conversion|copy|cost|count|country|counts|coupon|creative|cta|currency|date|days|delay|\
    delivery|device|digest|discount|domain|domains|duration|element|encrypted|engagement|error|errors|event|\
    events|experience|experiment|fee|field|fields|filter|flow|form|format|forms|frequency|funnel|gate|group|\
    hash|hashed|hashes|health|hmac|icon|id|ids|image|impression|impressions|index|interval|issue|issuer|journey|\
    kind|label|language|last|latency|layout|length|level|limit|link|links|list|lists|locale|lookup|marketing|\
    match|max|md|menu|method|min|minutes|mode|model|models|module|network|newsletter|newsletters|notification|\
    notifications|offer|offers|open|opens|opt|option|options|os|page|pages|percent|percentage|permission|\
    placeholder|plan|platform|plugin|policy|popup|position|preference|preferences|price|priority|program|promo|\
    promocode|promotion|promotions|prompt|provider|providers|quality|queue|quota|range|rank|rate|ratio|reason|\
    recipients|recovery|region|reminder|reminders|report|reset|result|results|revenue|rule|rules|score|screen|\
    search|seconds|section|segment|segments|send|sends|sequence|series|service|settings|sha|size|sizes|slot|\
    source|stage|state|status|step|steps|strategy|strength|style|subject|subjects|suggestion|suggestions|\
    support|survey|tab|tag|tags|template|templates|test|theme|timeout|today|tool|topic|total|transport|trigger|\
    type|types|ui|unsubscribe|unsubscribes|usage|variant|vendor|verification|version|view|views|volume|wallet|\
    widget";

/// Words that make a flag, a moment or a pseudonym of a key, wherever they stand in it: whether there is a telephone number, when an
/// address was verified, that it was left out.
pub const QUESTIONING: &str = "added|allow|allowed|allows|anonymize|anonymized|anonymous|answered|at|autofilled|available|blocked|bounced|\
    can|captured|changed|clicked|collected|completed|confirmed|contract|copied|deleted|delivered|detected|did|\
    disable|disabled|does|enable|enabled|encrypted|entered|exists|failed|filled|forgot|forgotten|has|hashed|\
    have|hidden|hide|ignored|included|invalid|is|known|linked|mask|masked|matched|missing|needs|num|obfuscated|\
    omit|opened|opted|pending|present|provided|pseudonymized|read|received|redacted|removed|replied|required|\
    requires|saved|scheduled|scrubbed|selected|sent|shared|should|show|shown|skipped|stripped|submitted|\
    supports|toggled|truncated|unique|unsubscribed|unverified|updated|use|used|uses|using|valid|validated|\
    verified|verify|viewed|visible|vo|was|with|without";
