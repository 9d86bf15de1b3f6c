/** Codes of ISO 3166-1. Those outside are listed too, so that a code that does not exist counts as an unknown country. */
const inEurope = 'AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE IS LI NO GB';
/** Parts of a member state with a code of their own, in which the GDPR holds, and the Crown dependencies with the same law. */
const ofEurope = 'AX GF GP MQ RE YT MF GI GG IM JE';
const outside =
  'AD AE AF AG AI AL AM AO AQ AR AS AU AW AZ BA BB BD BF BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL ' +
  'CM CN CO CR CU CV CW CX DJ DM DO DZ EC EG EH ER ET FJ FK FM FO GA GD GE GH GL GM GN GQ GS GT GU GW GY HK HM HN HT ID IL IN IO ' +
  'IQ IR JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LK LR LS LY MA MC MD ME MG MH MK ML MM MN MO MP MR MS MU MV MW MX MY ' +
  'MZ NA NC NE NF NG NI NP NR NU NZ OM PA PE PF PG PH PK PM PN PR PS PW PY QA RS RU RW SA SB SC SD SG SH SJ SM SN SO SR SS ST SV ' +
  'SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE ZA ZM ZW';

const codes = (list: string): ReadonlySet<string> => new Set(list.split(' '));
const european = codes(`${inEurope} ${ofEurope}`);
const others = codes(outside);

/**
 * Whether a person in this country has the rights of the GDPR or of the UK GDPR. A country that is not known, or that does not exist,
 * counts as one in which people have them.
 */
export const hasEuropeanRights = (country: string | undefined): boolean =>
  country === undefined || !others.has(country) || european.has(country);

/** The endings of domain names of countries. */
export const countryEndings: ReadonlySet<string> = new Set(
  [...european, ...others, 'UK', 'EU', 'AC', 'SU'].map((code) => code.toLowerCase()),
);
