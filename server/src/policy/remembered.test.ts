import { expect, test } from 'vitest';
import { Remembered } from './remembered.ts';

test('what was answered is not asked again, until there is too much to remember', () => {
  const asked: string[] = [];
  const remembered = new Remembered<string>(2);
  const of = (question: string) =>
    remembered.of(question, () => {
      asked.push(question);
      return `${question}!`;
    });
  expect(['one', 'two', 'one', 'two'].map(of)).toEqual(['one!', 'two!', 'one!', 'two!']);
  expect(asked).toEqual(['one', 'two']);
  expect(['three', 'three', 'one'].map(of)).toEqual(['three!', 'three!', 'one!']);
  expect(asked).toEqual(['one', 'two', 'three', 'one']);
});
