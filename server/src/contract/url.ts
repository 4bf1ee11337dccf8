/** Throws with a sentence for a person when it is not a plain HTTP address. Never quotes it: it may hold a credential. */
export function checkUrl(text: string): void {
  if (!/^https?:\/\/[^\s/?#]/.test(text))
    throw new RangeError('must be an address that starts with https:// or http://');
  if (!URL.canParse(text)) throw new RangeError('must be a valid address such as https://packages.example.com/npm');
  const { username, password, hash, search } = new URL(text);
  if (username || password)
    throw new RangeError('must not hold a user name or a password: they belong in a field of their own');
  if (hash || search || /[?#]/.test(text)) throw new RangeError('must not have a query or a fragment');
  if (/[\s\\]/.test(text)) throw new RangeError('must not hold blanks or backslashes');
}
