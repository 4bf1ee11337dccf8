import { DOMParser, type Document, type Element, type Node, XMLSerializer } from '@xmldom/xmldom';
import { Malformed } from '../../engine/format.ts';

/** `what` begins the sentence a person reads. Throws `Malformed`, also for a document type: no entity is ever expanded. */
export function parseXml(text: string, root: string, what: string): Element {
  const document = parsed(text, what);
  const element = document.documentElement;
  if (document.doctype) throw new Malformed(`${what} has a document type`);
  if (element?.localName !== root) throw new Malformed(`${what} is <${element?.localName}>, not <${root}>`);
  return element;
}

/** The whole document that the element is the root of. */
export function serialized(root: Element): string {
  return `${new XMLSerializer().serializeToString(root.ownerDocument as Document)}\n`;
}

export function children(parent: Element | undefined, name?: string): readonly Element[] {
  return elementsOf(parent).filter(({ localName }) => name === undefined || localName === name);
}

export const child = (parent: Element | undefined, name: string): Element | undefined => children(parent, name)[0];

export const textOf = (element: Element | undefined): string => element?.textContent?.trim() ?? '';

/** With the white space before it, so that its line goes whole. */
export function remove(element: Element | undefined): void {
  const before = element?.previousSibling;
  if (before && isBlank(before)) before.parentNode?.removeChild(before);
  element?.parentNode?.removeChild(element);
}

/** Makes these its only children, each on a line of its own, indented as the first of them was. */
export function fill(parent: Element, elements: readonly Element[]): void {
  const document = parent.ownerDocument as Document;
  const first = elementsOf(parent)[0]?.previousSibling;
  const indent = first && isBlank(first) ? (first.nodeValue ?? '') : `\n${'  '.repeat(depthOf(parent) + 1)}`;
  while (parent.firstChild) parent.removeChild(parent.firstChild);
  for (const element of elements) {
    parent.appendChild(document.createTextNode(indent));
    parent.appendChild(element.ownerDocument === document ? element : document.importNode(element, true));
  }
  parent.appendChild(document.createTextNode(indent.replace(/ {2}$|\t$/, '')));
}

/** The child of that name, made when there is none. */
export function ensure(parent: Element, name: string): Element {
  const known = child(parent, name);
  if (known) return known;
  const made = create(parent, name);
  fill(parent, [...children(parent), made]);
  return made;
}

/** An element for the parent's document, not yet in it. */
export function create(parent: Element, name: string, text?: string): Element {
  const made = (parent.ownerDocument as Document).createElementNS(parent.namespaceURI, name);
  if (text !== undefined) made.textContent = text;
  return made;
}

function parsed(text: string, what: string): Document {
  const stop = (level: string, message: string) => {
    if (level !== 'warning') throw new Error(message);
  };
  try {
    return new DOMParser({ onError: stop }).parseFromString(text, 'text/xml');
  } catch (cause) {
    throw new Malformed(`${what} is ${text.trim() === '' ? 'empty' : 'not XML'}`, { cause });
  }
}

function elementsOf(parent: Element | undefined): readonly Element[] {
  const found: Element[] = [];
  for (let node: Node | null = parent?.firstChild ?? null; node; node = node.nextSibling) {
    if (isElement(node)) found.push(node);
  }
  return found;
}

function depthOf(element: Element): number {
  let depth = 0;
  for (let node = element.parentNode; node && isElement(node); node = node.parentNode) depth += 1;
  return depth;
}

const isElement = (node: Node): node is Element => node.nodeType === 1;

const isBlank = (node: Node): boolean => node.nodeType === 3 && (node.nodeValue ?? '').trim() === '';
