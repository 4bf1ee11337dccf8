/** Answers by their questions; all are forgotten when there are too many, which costs nothing while there are few. */
export class Remembered<Value> {
  readonly #answers = new Map<string, Value>();
  readonly #most: number;

  constructor(most = 10_000) {
    this.#most = most;
  }

  of(question: string, answer: () => Value): Value {
    const known = this.#answers.get(question);
    if (known !== undefined) return known;
    const found = answer();
    if (this.#answers.size >= this.#most) this.#answers.clear();
    this.#answers.set(question, found);
    return found;
  }
}
