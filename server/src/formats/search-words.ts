/** The words that a query string searches for: what is typed may be the name of a package. */
export function wordsIn(path: string | undefined, parameter: string): readonly string[] {
  const query = path?.includes('?') ? path.slice(path.indexOf('?') + 1) : '';
  const text = new URLSearchParams(query).getAll(parameter).join(' ');
  return text.split(/[\s,"']+/).filter((word) => word !== '');
}
