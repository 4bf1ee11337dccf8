/** A moment as it is written: RFC 3339, with its offset. */
export const TIME_PATTERN =
  '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$';
export const TIME_HELP = 'a time of RFC 3339 such as 2026-05-11T00:00:00Z or 2026-05-11T09:30:00+02:00';

/** Epoch milliseconds. Throws `RangeError` saying what is wrong and what is allowed. */
export function parseTime(text: string): number {
  const [whole] = new RegExp(TIME_PATTERN).exec(text) ?? [];
  if (whole === undefined) throw new RangeError(`${quoted(text)} is not ${TIME_HELP}${hint(text)}`);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = text.match(/\d+/g)?.map(Number) ?? [];
  const [, offsetHour = '0', offsetMinute = '0'] = /[+-](\d\d):(\d\d)$/.exec(text) ?? [];
  // A date parser takes the 30th of February for the 2nd of March.
  const days = new Date(Date.UTC(2000, 0, 1));
  days.setUTCFullYear(year, month, 0);
  const exists = month >= 1 && month <= 12 && day >= 1 && day <= days.getUTCDate();
  const clock = hour < 24 && minute < 60 && second < 60 && Number(offsetHour) < 24 && Number(offsetMinute) < 60;
  if (!exists || !clock) throw new RangeError(`${quoted(text)} is a time that does not exist`);
  return Date.parse(text);
}

function hint(text: string): string {
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return `: its time is missing, write ${text}T00:00:00Z`;
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?$/.test(text)) return `: its offset is missing, write ${text}Z for UTC`;
  if (/^\d{4}-\d\d-\d\d \d\d:/.test(text)) return ': write T between date and time';
  if (/^\d{4}-\d\d-\d\d(?:t|T.*z$)/.test(text)) return ': T and Z are in upper case';
  return '';
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text);
}
