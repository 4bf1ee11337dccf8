import { createHash } from 'node:crypto';
import type { OpenApiDocument } from '../schema/openapi.ts';
import { DOCS_STYLE } from './docs-style.ts';
import { Html, html, prose } from './html.ts';

type Node = Readonly<Record<string, unknown>>;

interface Call {
  readonly method: string;
  readonly path: string;
  readonly node: Node;
}

/** Nothing is loaded, nothing runs; the one style is this one. */
export const DOCS_POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(DOCS_STYLE).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** The OpenAPI document as a page for people. */
export function docsPage(document: OpenApiDocument): string {
  const { info, tags, components } = document;
  const calls = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, node]): Call => ({ method, path, node })),
  );
  const of = (tag: string): readonly Call[] =>
    calls.filter(({ node }) => (node['tags'] as readonly string[]).includes(tag));
  const schemas = Object.entries(components['schemas'] ?? {});
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(info['title'])}</title>
<style>${new Html(DOCS_STYLE)}</style>
</head>
<body>
<nav aria-label="Calls">
<p><a href="#top"><strong>Entrepot</strong> ${text(info['version'])}</a></p>
${tags.map(({ name }) => html`<strong>${name}</strong><ul>${of(name).map(link)}</ul>`)}
<strong>Schemas</strong><ul>${schemas.map(([name]) => html`<li><a href="#schema-${name}">${name}</a></li>`)}</ul>
</nav>
<main id="top">
<h1>${text(info['title'])}</h1>
<p class="soft">${prose(text(info['description']))}</p>
<p>Every call marked <span class="tag">token</span> needs the admin token. The same for programs: <a href="/openapi.json">openapi.json</a>.</p>
<pre>curl -H "Authorization: Bearer $ENTREPOT_TOKEN" ${text(document.servers[0]?.['url'])}/api/v2/remotes</pre>
${tags.map(({ name, description }) => html`<section><h2 id="tag-${name}">${name}</h2><p class="soft">${prose(description)}</p>${of(name).map(card)}</section>`)}
<section><h2 id="schemas">Schemas</h2>${schemas.map(([name, schema]) => schemaCard(name, schema as Node))}</section>
</main>
</body>
</html>
`.text;
}

function link({ node }: Call): Html {
  return html`<li><a href="#${text(node['operationId'])}">${text(node['summary'])}</a></li>`;
}

function card({ method, path, node }: Call): Html {
  const parameters = (node['parameters'] ?? []) as readonly Node[];
  const body = node['requestBody'] as Node | undefined;
  const open = Array.isArray(node['security']);
  return html`<article class="card" id="${text(node['operationId'])}">
<h3>${text(node['summary'])}${open ? undefined : html`<span class="tag">token</span>`}</h3>
<div class="route"><span class="method ${method}">${method}</span><span class="path">${path}</span></div>
${node['description'] === undefined ? undefined : html`<p>${prose(text(node['description']))}</p>`}
${parameters.length > 0 ? html`<h4>Parameters</h4>${parameterTable(parameters)}` : undefined}
${body ? html`<h4>Body</h4><p>${contentOf(body)}</p>` : undefined}
<h4>Answers</h4>
<div class="table"><table>${Object.entries(node['responses'] as Readonly<Record<string, Node>>).map(
    ([status, answer]) =>
      html`<tr><td><code>${status}</code></td><td>${prose(text(answer['description']))} ${contentOf(answer)}</td></tr>`,
  )}</table></div>
</article>`;
}

function parameterTable(parameters: readonly Node[]): Html {
  return html`<div class="table"><table><tr><th>Name</th><th>Type</th><th></th></tr>${parameters.map(
    (
      each,
    ) => html`<tr><td><code>${text(each['name'])}</code><span class="tag">${text(each['in'])}</span></td><td>${typeOf(each['schema'] as Node)}</td>
<td>${prose(text(each['description']))}${limits(each['schema'] as Node)}${example(each['example'])}</td></tr>`,
  )}</table></div>`;
}

/** The media types of a body or an answer, each with its schema. */
function contentOf(node: Node): Html {
  const content = Object.entries((node['content'] ?? {}) as Readonly<Record<string, Node>>);
  const shown = content.filter(([type]) => type !== 'application/problem+json');
  return html`${shown.map(([type, media]) => html`<span class="soft"><code>${type}</code> ${typeOf(media['schema'] as Node)} </span>`)}`;
}

function schemaCard(name: string, schema: Node): Html {
  return html`<article class="card" id="schema-${name}"><h3>${name}</h3>
${schema['description'] === undefined ? undefined : html`<p>${prose(text(schema['description']))}</p>`}
${schema['properties'] ? properties(schema) : html`<p>${typeOf(schema)}</p>`}</article>`;
}

function properties(schema: Node): Html {
  const required = (schema['required'] ?? []) as readonly string[];
  const fields = Object.entries(schema['properties'] as Readonly<Record<string, Node>>);
  return html`<div class="table"><table>${fields.map(
    ([
      name,
      field,
    ]) => html`<tr><td><code>${name}</code>${required.includes(name) ? html`<span class="tag">required</span>` : undefined}</td><td>${typeOf(field)}</td>
<td>${prose(text(field['description']))}${limits(field)}${example((field['examples'] as readonly unknown[] | undefined)?.[0], field)}${inner(field)}</td></tr>`,
  )}</table></div>`;
}

function inner(field: Node): Html | undefined {
  return field['properties'] ? properties(field) : undefined;
}

/** `string`, `list of integer`, a link to a schema of its own. */
function typeOf(schema: Node | undefined): Html {
  if (!schema) return html``;
  const reference = schema['$ref'];
  if (typeof reference === 'string') {
    const name = reference.slice(reference.lastIndexOf('/') + 1);
    return html`<a href="#schema-${name}">${name}</a>`;
  }
  const several = (schema['oneOf'] ?? schema['allOf']) as readonly Node[] | undefined;
  if (several)
    return html`${several.map((each, index) => html`${index > 0 ? (schema['oneOf'] ? ' or ' : ' and ') : undefined}${typeOf(each)}`)}`;
  if (schema['type'] === 'array') return html`list of ${typeOf(schema['items'] as Node)}`;
  if ('const' in schema) return html`<code>${JSON.stringify(schema['const'])}</code>`;
  if (schema['enum'] && !schema['type']) return html`string`;
  return html`${[schema['type']].flat().map(text).join(' or ')}`;
}

function limits(schema: Node | undefined): Html | undefined {
  if (!schema) return undefined;
  const { enum: values, default: otherwise, minimum, maximum } = schema;
  const notes = [
    Array.isArray(values) ? `one of ${values.map((value) => `\`${text(value)}\``).join(', ')}` : undefined,
    minimum !== undefined && maximum !== undefined ? `${text(minimum)} to ${text(maximum)}` : undefined,
    otherwise === undefined ? undefined : `default \`${JSON.stringify(otherwise)}\``,
    schema['writeOnly'] ? 'never shown' : undefined,
  ].filter((note) => note !== undefined);
  return notes.length > 0 ? html` <span class="soft">${prose(`(${notes.join('; ')})`)}</span>` : undefined;
}

/** Long ones (certificates) and whole objects say less than their fields do. */
function example(value: unknown, field?: Node): Html | undefined {
  if (value === undefined || field?.['properties']) return undefined;
  const written = typeof value === 'string' ? value : JSON.stringify(value);
  return written.length > 80 ? undefined : html` <span class="soft">Such as <code>${written}</code></span>`;
}

function text(value: unknown): string {
  return value === undefined ? '' : String(value);
}
