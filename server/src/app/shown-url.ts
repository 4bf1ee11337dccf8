/** Names of parameters whose value gives somebody access, whole or as part of a longer name. */
const SECRET = /token|key|secret|pass|auth|sig|credential|session|code|jwt/i;
const MASK = '****';

/** A request's address for the log: without a user, and without what gives access. */
export function shownUrl(url: string): string {
  const mark = url.indexOf('?');
  const path = shownPath(mark < 0 ? url : url.slice(0, mark));
  return mark < 0 ? path : `${path}?${shownQuery(url.slice(mark + 1))}`;
}

/** A request may be made for a whole URL (RFC 9112 §3.2.2), and npm has tokens in paths (`/-/user/token/<token>`). */
export function shownPath(path: string): string {
  return path
    .replace(/((?::|%3a)(?:\/|%2f){2})(?:(?!%2f)[^/@])*?(?:@|%40)/gi, '$1')
    .replace(/(\/-\/(?:user|npm\/v1\/tokens)\/token\/)[^/]+/gi, `$1${MASK}`);
}

function shownQuery(query: string): string {
  return query
    .split('&')
    .map((pair) => {
      const [name = '', value] = pair.split('=', 2);
      return value !== undefined && SECRET.test(decoded(name)) ? `${name}=${MASK}` : pair;
    })
    .join('&');
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
