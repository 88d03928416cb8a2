import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { composeIBAN, countrySpecs } from 'ibantools';
import { type CountryCode, getExampleNumber, parsePhoneNumberFromString } from 'libphonenumber-js/min';
import examples from 'libphonenumber-js/mobile/examples';
import { hasLuhnDigit } from '../../router/redaction/patterns.ts';
import type { RedactedKind } from '../../router/redaction/spans.ts';
import { seededRandom } from '../../router/statistics/index.ts';

/*
 * Writes the set of made-up texts with personal data: `npx tsx test/redaction/made-up-texts.ts`. Nobody's data are in it: numbers are drawn,
 * names are put together, and nothing but the templates was written by a person.
 */

/** One text, and the personal data that were put into it. */
export interface MadeUpText {
  readonly language: string;
  readonly text: string;
  readonly planted: readonly { readonly kind: RedactedKind; readonly value: string }[];
}

export const MADE_UP_TEXTS = fileURLToPath(
  new URL('../fixtures/redaction/made-up-texts.jsonl', import.meta.url),
);

interface Language {
  readonly countries: readonly CountryCode[];
  readonly givenNames: readonly string[];
  readonly familyNames: readonly string[];
  readonly templates: readonly string[];
}

const LANGUAGES: Readonly<Record<string, Language>> = {
  en: {
    countries: ['US', 'GB'],
    givenNames: ['Ann', 'Oliver', 'Grace', 'Thomas'],
    familyNames: ['Whitfield', 'Okafor', 'Brennan', 'Hale'],
    templates: [
      'Please write a polite reply to {email}, who says that order 48213 of 2024-11-05 has not arrived.',
      'Summarise: "Hi, this is {name}. Call me on {phone} after 5 pm, or text {phone}. Thanks!"',
      'My card {card} was charged twice (USD 49.90 each). What do I write to the bank?',
      'Why does this fail? client = OpenAI(api_key="{key}")  # version 1.52.0',
      'Translate for the landlord: rent of 1,250.00 goes to {iban}, reference flat 12.',
      'Customer {name} <{email}>, tel. {phone}, wants a refund of 3 items.',
      'curl -H "Authorization: Bearer {key}" https://api.example.com/v1/users gives a 401. Contact: {email}',
    ],
  },
  de: {
    countries: ['DE', 'AT', 'CH'],
    givenNames: ['Jürgen', 'Anneliese', 'Lukas', 'Sabine'],
    familyNames: ['Krämer', 'Weißhaupt', 'Huber', 'Vogelsang'],
    templates: [
      'Schreibe eine Antwort an {email}: Die Lieferung vom 05.11.2024 verspätet sich um 3 Tage.',
      'Fasse zusammen: „Hier ist {name}, bitte rufen Sie mich unter {phone} zurück. Danke!“',
      'Meine Kreditkarte {card} wurde doppelt belastet (2 x 49,90 Euro). Was nun?',
      'Bitte überweisen Sie 1.250,00 Euro auf das Konto {iban}, Verwendungszweck Rechnung 4711.',
      'Kunde {name}, Telefon {phone}, E-Mail {email}, Kundennummer K-20931.',
      'Warum lehnt der Dienst den Schlüssel {key} ab? Es ist Version 2.4.1.',
      'Erreichbar bin ich mobil ({phone}) oder per Mail an {email}.',
    ],
  },
  fr: {
    countries: ['FR', 'BE'],
    givenNames: ['Élodie', 'Mathieu', 'Chloé', 'Benoît'],
    familyNames: ['Lefèvre', 'Duvernois', 'Marchand', 'Sauvage'],
    templates: [
      'Rédige une réponse à {email} : la commande 48213 du 05/11/2024 est en retard.',
      'Résume : « Bonjour, ici {name}. Vous pouvez me joindre au {phone}. Merci ! »',
      'Ma carte {card} a été débitée deux fois de 49,90 €. Que faire ?',
      'Virement de 1 250,00 € sur le compte {iban}, référence facture 4711.',
      'Client : {name}, tél. {phone}, courriel {email}, dossier 20931.',
      'Pourquoi la clé {key} est-elle refusée par la version 2.4.1 ?',
      'Appelez le {phone} ou écrivez à {email} avant le 12 janvier 2025.',
    ],
  },
  es: {
    countries: ['ES', 'MX'],
    givenNames: ['Íñigo', 'Lucía', 'Begoña', 'Tomás'],
    familyNames: ['Echeverría', 'Núñez', 'Cifuentes', 'Robledo'],
    templates: [
      'Escribe una respuesta a {email}: el pedido 48213 del 05/11/2024 llegará tarde.',
      'Resume: «Hola, soy {name}. Mi teléfono es {phone}. ¡Gracias!»',
      'Me han cobrado dos veces 49,90 € en la tarjeta {card}. ¿Qué hago?',
      'Transferencia de 1.250,00 € a la cuenta {iban}, concepto factura 4711.',
      'Cliente: {name}, móvil {phone}, correo {email}, expediente 20931.',
      '¿Por qué la versión 2.4.1 rechaza la clave {key}?',
      'Llámame al {phone} o escribe a {email} antes del 12 de enero de 2025.',
    ],
  },
  pt: {
    countries: ['BR', 'PT'],
    givenNames: ['João', 'Conceição', 'Inês', 'Rafael'],
    familyNames: ['Gonçalves', 'Figueiredo', 'Brandão', 'Lacerda'],
    templates: [
      'Escreva uma resposta para {email}: o pedido 48213 de 05/11/2024 vai atrasar.',
      'Resuma: "Olá, aqui é {name}. Meu telefone é {phone}. Obrigado!"',
      'O meu cartão {card} foi cobrado duas vezes (R$ 49,90). O que faço?',
      'Transferência de 1.250,00 para a conta {iban}, referência fatura 4711.',
      'Cliente: {name}, celular {phone}, e-mail {email}, processo 20931.',
      'Por que a versão 2.4.1 recusa a chave {key}?',
      'Ligue para {phone} ou escreva para {email} até 12 de janeiro de 2025.',
    ],
  },
  pl: {
    countries: ['PL'],
    givenNames: ['Zbigniew', 'Małgorzata', 'Jerzy', 'Świętosława'],
    familyNames: ['Dąbrowski', 'Żurawska', 'Łoziński', 'Wiśniewska'],
    templates: [
      'Napisz odpowiedź do {email}: zamówienie 48213 z 05.11.2024 się spóźni.',
      'Streść: „Dzień dobry, tu {name}. Proszę zadzwonić pod {phone}. Dziękuję!”',
      'Karta {card} została obciążona dwa razy po 49,90 zł. Co robić?',
      'Przelew 1 250,00 zł na konto {iban}, tytułem faktura 4711.',
      'Klient: {name}, telefon {phone}, e-mail {email}, sprawa 20931.',
      'Dlaczego wersja 2.4.1 odrzuca klucz {key}?',
      'Mój numer to {phone}, a adres {email}, dostępny do 12 stycznia 2025.',
    ],
  },
  ru: {
    countries: ['RU'],
    givenNames: ['Аркадий', 'Людмила', 'Глеб', 'Ксения'],
    familyNames: ['Воронцов', 'Селезнёва', 'Дубровский', 'Лаптева'],
    templates: [
      'Напиши ответ на {email}: заказ 48213 от 05.11.2024 задерживается.',
      'Перескажи: «Здравствуйте, это {name}. Позвоните мне по номеру {phone}. Спасибо!»',
      'С моей карты {card} дважды списали 4990 рублей. Что делать?',
      'Перевод 1 250,00 на счёт {iban}, назначение: счёт 4711.',
      'Клиент: {name}, тел. {phone}, почта {email}, дело 20931.',
      'Почему версия 2.4.1 не принимает ключ {key}?',
      'Связь: {phone} или {email}, до 12 января 2025 года.',
    ],
  },
  zh: {
    countries: ['CN'],
    givenNames: ['伟明', '秀英', '子涵', '建国'],
    familyNames: ['欧阳', '司马', '慕容', '诸葛'],
    templates: [
      '请给{email}写一封回信:2024年11月5日的订单48213会晚到三天。',
      '总结:“您好,我是{name},请拨打电话{phone}联系我,谢谢!”',
      '我的银行卡{card}被重复扣款49.90元,该怎么办?',
      '请把1250元转到账户{iban},备注发票4711。',
      '客户:{name},手机{phone},邮箱{email},编号20931。',
      '为什么2.4.1版本拒绝密钥{key}?',
      '有问题请联系{phone}或发邮件到{email},截止2025年1月12日。',
    ],
  },
};

const IBAN_COUNTRIES = ['DE', 'GB', 'FR', 'ES', 'PT', 'PL', 'AT', 'CH', 'BE', 'NL', 'IT', 'MT'];
const HOSTS = [
  'example.com',
  'example.org',
  'mail.example.net',
  'post.example.co.uk',
  'example.de',
  'xn--bcher-kva.example',
];

type Random = () => number;

/** The same texts on every machine. */
export function madeUpTexts(count: number, seed = 20_261_129): MadeUpText[] {
  const random = seededRandom(seed);
  const languages = Object.keys(LANGUAGES);
  return Array.from({ length: count }, (_, n) =>
    madeUpText(languages[n % languages.length] ?? 'en', Math.floor(n / languages.length), random),
  );
}

function madeUpText(language: string, turn: number, random: Random): MadeUpText {
  const parts = LANGUAGES[language] ?? LANGUAGES['en']!;
  const template = parts.templates[turn % parts.templates.length] ?? '';
  const planted: { kind: RedactedKind; value: string }[] = [];
  const text = template.replace(/\{(\w+)\}/g, (_, kind: RedactedKind) => {
    const value = MAKERS[kind](parts, random, language);
    planted.push({ kind, value });
    return value;
  });
  return { language, text, planted };
}

const MAKERS: Readonly<Record<RedactedKind, (parts: Language, random: Random, language: string) => string>> =
  {
    email: ({ givenNames, familyNames }, random) => {
      const local = [
        `${latin(pick(givenNames, random))}.${latin(pick(familyNames, random))}`,
        `${latin(pick(familyNames, random))}${digits(3, random)}`,
        `${latin(pick(givenNames, random))}+news_${digits(2, random)}`,
      ];
      return `${pick(local, random)}@${pick(HOSTS, random)}`;
    },
    phone: ({ countries }, random) => phone(pick(countries, random), random),
    card: (_, random) => grouped(card(random), random),
    iban: (_, random) => {
      const value = iban(pick(IBAN_COUNTRIES, random), random);
      return random() < 0.6 ? (value.match(/.{1,4}/g)?.join(' ') ?? value) : value;
    },
    key: (_, random) => key(random),
    name: ({ givenNames, familyNames }, random, language) =>
      language === 'zh'
        ? pick(familyNames, random) + pick(givenNames, random)
        : `${pick(givenNames, random)} ${pick(familyNames, random)}`,
  };

/** All names that the texts may have: the list that an operator would give. */
export function madeUpNames(): string[] {
  return Object.entries(LANGUAGES).flatMap(([language, { givenNames, familyNames }]) =>
    givenNames.flatMap((given) =>
      familyNames.map((family) => (language === 'zh' ? family + given : `${given} ${family}`)),
    ),
  );
}

function latin(name: string): string {
  const plain = name
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/[łŁ]/g, 'l')
    .replace(/ß/g, 'ss')
    .toLowerCase();
  return /^[a-z]+$/.test(plain) ? plain : `user${plain.length}`;
}

/** A number of libphonenumber's plan with other last digits, as people write it. */
function phone(country: CountryCode, random: Random): string {
  const national = getExampleNumber(country, examples)?.nationalNumber ?? '';
  for (;;) {
    const changed = parsePhoneNumberFromString(national.slice(0, -4) + digits(4, random), country);
    if (!changed?.isValid()) continue;
    const forms = [
      changed.formatInternational(),
      changed.formatNational(),
      changed.number,
      changed.formatNational().replace(/[^\d]/g, ''),
      changed.formatInternational().replaceAll(' ', '-'),
      changed.formatInternational().replace('+', '00'),
    ];
    return pick(forms, random);
  }
}

function card(random: Random): string {
  const start = pick(['4', '51', '54', '34', '37', '6011'], random);
  const length = start.startsWith('3') ? 15 : 16;
  const first = start + digits(length - start.length - 1, random);
  return first + [...'0123456789'].find((check) => hasLuhnDigit(first + check));
}

function grouped(number: string, random: Random): string {
  const sign = pick(['', ' ', '-'], random);
  const groups = number.length === 15 ? /^(.{4})(.{6})(.{5})$/ : /^(.{4})(.{4})(.{4})(.{4})$/;
  return number.replace(groups, (_, ...parts: string[]) =>
    parts.slice(0, number.length === 15 ? 3 : 4).join(sign),
  );
}

function iban(countryCode: string, random: Random): string {
  const form = countrySpecs[countryCode]?.bban_regexp ?? '';
  const bban = [...form.matchAll(/\[([^\]]+)\]\{(\d+)\}/g)]
    .map(([, signs = '', length]) =>
      signs.startsWith('A') ? letters(Number(length), random) : digits(Number(length), random),
    )
    .join('');
  return composeIBAN({ countryCode, bban }) ?? iban(countryCode, random);
}

function key(random: Random): string {
  const signs = (length: number) =>
    Array.from({ length }, () =>
      pick([...'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'], random),
    ).join('');
  return pick(
    [
      `sk-proj-${signs(48)}`,
      `sk-ant-api03-${signs(60)}`,
      `ghp_${signs(36)}`,
      `AKIA${signs(16).toUpperCase()}`,
      `AIza${signs(35)}`,
      `gsk_${signs(52)}`,
      `xoxb-${digits(11, random)}-${signs(24)}`,
      `eyJ${signs(30)}.eyJ${signs(60)}.${signs(43)}`,
    ],
    random,
  );
}

function pick<T>(list: readonly T[], random: Random): T {
  return list[Math.floor(random() * list.length)]!;
}

function digits(length: number, random: Random): string {
  return Array.from({ length }, () => Math.floor(random() * 10)).join('');
}

function letters(length: number, random: Random): string {
  return Array.from({ length }, () => pick([...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'], random)).join('');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(
    MADE_UP_TEXTS,
    madeUpTexts(500)
      .map((one) => `${JSON.stringify(one)}\n`)
      .join(''),
  );
}
