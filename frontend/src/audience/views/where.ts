/** The filters of an event, a step or an object, one line each, groups of them indented. */
import { html, nothing, type TemplateResult } from "lit";
import { say } from "../../words";
import { propertyComparing, withOperator } from "../comparisons";
import { bare, type FilterGroup, groupOf, isFilter, turned, withFilter, withMember } from "../filters";
import type { Json, JsonObject } from "../tree";
import { type Field, type FieldType, propertyField } from "../vocabulary";
import { type Comparing, comparison } from "./comparison";
import { type Editing, isWrong, messageAt, type Source } from "./editing";
import { choose, label, pick } from "./inputs";

export interface Filtering {
  editing: Editing;
  /** JSON pointer of the `where`. */
  path: string;
  where: Json | undefined;
  /** What can be compared. */
  fields: Field[];
  /** Nothing is known of the properties: any may be typed. */
  open: boolean;
  /** Filters of an object's fields rather than of an event's properties. */
  object?: boolean;
  source: (key: string) => Source;
  set: (where: Json | undefined, typing?: boolean) => void;
}

export function whereView(asked: Filtering): TemplateResult {
  const { where } = asked;
  return html`${
    where === undefined
      ? nothing
      : html`<div class="ab-where"><span class="ab-lead">${say("其中", "where")}</span>
          <div class="ab-filters">${part(asked, where, asked.path, (next, typing) => asked.set(next, typing), true)}</div></div>`
  }`;
}

/** The button that adds a filter; it stands at the end of the line it belongs to. */
export function filterButton(asked: Filtering): TemplateResult {
  return html`<button type="button" class="btn btn-small btn-quiet ab-filter-add" @click=${(event: Event) => {
    const place = (event.currentTarget as Element).closest(".ab-step-parts, .ab-fields");
    asked.set(withFilter(asked.where, fresh(asked)));
    // The button goes when the filter comes: the focus moves on to what is to be filled in.
    requestAnimationFrame(() => place?.querySelector<HTMLElement>(".ab-filters :is(select, input, button)")?.focus());
  }}>${
    asked.object ? say("＋ 筛选", "+ Filter") : say("＋ 按属性筛选", "+ Filter by a property")
  }</button>`;
}

function fresh(asked: Filtering): JsonObject {
  const field = asked.fields[0];
  if (!field) return { property: "", op: "=", value: "" };
  return renamed(asked, { property: field.key }, field.key);
}

type Set = (next: Json | undefined, typing?: boolean) => void;

function part(asked: Filtering, tree: Json, path: string, set: Set, top = false): TemplateResult {
  const inner = bare(tree, path);
  const group = groupOf(inner.part);
  if (group) return groupView(asked, group, inner.not, inner.path, set, top);
  return filterView(asked, tree, path, set);
}

function groupView(asked: Filtering, group: FilterGroup, not: boolean, path: string, set: Set, top: boolean): TemplateResult {
  const put = (next: Json | undefined, typing?: boolean) =>
    set(next === undefined ? undefined : not ? { not: next } : next, typing);
  const modes = [
    { value: "all", label: say("满足全部", "all of these") },
    { value: "any", label: say("满足任一", "any of these") },
    { value: "not-any", label: say("一个也不满足", "none of these") },
    { value: "not-all", label: say("不全满足", "not all of these") },
  ];
  const setMode = (mode: string) => {
    const next = { [mode.endsWith("any") ? "any" : "all"]: group.items };
    set(mode.startsWith("not-") ? { not: next } : next);
  };
  const message = asked.editing.problems.find((problem) => problem.path === path)?.message ?? "";
  return html`<div class="ab-filter-group ${top ? "" : "ab-filter-inner"}">
    <div class="ab-filter">${choose(say("如何组合筛选", "How to combine the filters"), modes, `${not ? "not-" : ""}${group.mode}`, setMode)}
      ${top ? nothing : removeButton(() => set(undefined))}</div>
    ${group.items.map((item, index) =>
      part(asked, item, `${path}/${group.mode}/${index}`, (next, typing) => put(withMember(group, index, next), typing)),
    )}
    <div class="ab-filter ab-filter-more"><button type="button" class="btn btn-small btn-quiet" @click=${() =>
      put({ [group.mode]: [...group.items, fresh(asked)] })}>${say("＋ 筛选", "+ Filter")}</button>
      <button type="button" class="btn btn-small btn-quiet" @click=${() =>
        put({ [group.mode]: [...group.items, { [group.mode === "all" ? "any" : "all"]: [fresh(asked)] }] })}>${say("＋ 一组筛选", "+ Group of filters")}</button></div>
    ${message ? html`<p class="ab-wrong" role="alert">${message}</p>` : nothing}
  </div>`;
}

function filterView(asked: Filtering, tree: Json, path: string, set: Set): TemplateResult {
  const { part: filter, path: at, not } = bare(tree, path);
  if (!isFilter(filter)) return strange(asked, tree, path, set);
  const put = (next: JsonObject, typing?: boolean) => set(not ? { not: next } : next, typing);
  const key = String(filter.property ?? "");
  const known = asked.fields.find((field) => field.key === key);
  const message = messageAt(asked.editing, path);
  return html`<div class="ab-filter ${message ? "ab-filter-wrong" : ""}" role="group" aria-label="${say("筛选", "Filter")} ${known?.label ?? key}">
    ${not ? html`<button type="button" class="ab-not" aria-pressed="true" @click=${() => set(turned(tree))}>${say("非", "not")}</button>` : nothing}
    ${propertyInput(asked, filter, key, isWrong(asked.editing, `${at}/property`), put)}
    ${comparison({
      ...comparing(asked, known ?? propertyField(key, ANY), filter),
      body: filter,
      ask: key ? asked.editing.values(asked.source(key)) : null,
      wrong: (name) => isWrong(asked.editing, `${at}/${name}`),
      set: put,
    })}
    ${removeButton(() => set(undefined))}
    ${message ? html`<p class="ab-wrong" role="alert">${message}</p>` : nothing}
  </div>`;
}

const ANY: FieldType[] = ["text", "number", "boolean", "time"];

function propertyInput(
  asked: Filtering,
  filter: JsonObject,
  key: string,
  wrong: boolean,
  put: (next: JsonObject, typing?: boolean) => void,
): TemplateResult {
  const name = asked.object ? say("字段", "Field") : say("属性", "Property");
  if (asked.open) {
    return html`<input type="text" class="ab-property" aria-label=${name} placeholder=${say("属性名", "name of the property")} autocomplete="off"
      spellcheck="false" .value=${key} @input=${(event: Event) => put({ ...filter, property: (event.target as HTMLInputElement).value }, true)}>`;
  }
  const options = asked.fields.map((field) => ({ value: field.key, label: field.label }));
  return pick(name, options, key, (next) => put(renamed(asked, filter, next)), wrong);
}

/** Another property keeps operator and value where they still fit its type. */
function renamed(asked: Filtering, filter: JsonObject, key: string): JsonObject {
  const field = asked.fields.find((item) => item.key === key);
  const next = { ...filter, property: key };
  if (!field) return next;
  const fitting = comparing(asked, field, filter);
  const ops = fitting.operators.flatMap(([type, list]) => (type === fitting.field.type ? list : []));
  const op = ops.includes(String(filter.op)) ? String(filter.op) : (ops[0] ?? "is_set");
  return withOperator(next, op, fitting.field);
}

/** Fields of objects have one type; properties of events may have been seen with several. */
function comparing(asked: Filtering, field: Field, filter: JsonObject): Pick<Comparing, "field" | "operators"> {
  if (asked.object) return { field, operators: [[field.type, asked.editing.words.operators[field.type] ?? []]] };
  return propertyComparing(field, filter);
}

function strange(asked: Filtering, tree: Json, path: string, set: Set): TemplateResult {
  return html`<div class="ab-filter ab-filter-wrong">${label(say("无法识别的筛选", "A filter that is not known"))}
    <code class="ab-raw">${JSON.stringify(tree)}</code>${removeButton(() => set(undefined))}
    <p class="ab-wrong" role="alert">${messageAt(asked.editing, path)}</p></div>`;
}

function removeButton(remove: () => void): TemplateResult {
  const name = say("去掉这个筛选", "Remove this filter");
  return html`<button type="button" class="ab-x" aria-label=${name} title=${name} @click=${remove}>×</button>`;
}
