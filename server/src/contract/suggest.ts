import { distance } from 'fastest-levenshtein';

/** `is not known: did you mean index_ttl?`, or what is known. */
export function unknownName(given: string, known: readonly string[]): string {
  const near = suggestion(given, known);
  return near === undefined ? `is not known; known are ${known.join(', ')}` : `is not known: did you mean ${near}?`;
}

/** The known name that was probably meant. */
export function suggestion(given: string, known: readonly string[]): string | undefined {
  if (given.length > 100) return undefined;
  const folded = given.toLowerCase().replaceAll(/[-. ]/g, '_');
  const ranked = known
    .map((name) => ({ name, far: distance(folded, name.toLowerCase().replaceAll(/[-.]/g, '_')) }))
    .sort((one, other) => one.far - other.far);
  const [best] = ranked;
  if (best && best.far <= Math.max(1, Math.floor(best.name.length / 3))) return best.name;
  return known.find((name) => letters(name) === letters(folded));
}

function letters(name: string): string {
  return [...name].sort().join('');
}
