/** "placed an order · sum of amount · at least 1000 / in the last 90 days / where category is tea". */
import { html, nothing, type TemplateResult } from "lit";
import { say } from "../../words";
import { OF_PROPERTIES, OF_TIMES, propertyComparing } from "../comparisons";
import { asksProperty, asksTime, howOf, withDate, withHow, withWindow, type WindowMode, windowMode } from "../happenings";
import { withWhere } from "../filters";
import type { JsonObject } from "../tree";
import { type Field, type FieldType, inList, type Named, propertyField } from "../vocabulary";
import { comparison } from "./comparison";
import { type Editing, isWrong } from "./editing";
import { choose, dayInput, label, numberInput, pick } from "./inputs";
import { type Filtering, filterButton, whereView } from "./where";

const TIMES = say("发生的次数", "How often");
const VALUES = say("某个属性的值", "The value of a property");
const MOMENTS = say("发生的时间", "When");
const HOWS: Named[] = [
  { value: "count:>=", label: say("至少", "at least"), group: TIMES },
  { value: "never", label: say("一次也没有", "not once"), group: TIMES },
  { value: "count:=", label: say("正好", "exactly"), group: TIMES },
  { value: "count:<=", label: say("至多", "at most"), group: TIMES },
  { value: "count:>", label: say("多于", "more than"), group: TIMES },
  { value: "count:<", label: say("少于", "fewer than"), group: TIMES },
  { value: "count:!=", label: say("次数不是", "any number of times but"), group: TIMES },
  { value: "sum", label: say("累计", "the sum of"), group: VALUES },
  { value: "average", label: say("平均", "the average of"), group: VALUES },
  { value: "min", label: say("最小", "the smallest"), group: VALUES },
  { value: "max", label: say("最大", "the largest"), group: VALUES },
  { value: "first", label: say("首次的", "the first"), group: VALUES },
  { value: "last", label: say("最近一次的", "the latest"), group: VALUES },
  { value: "first_at", label: say("首次发生", "the first time"), group: MOMENTS },
  { value: "last_at", label: say("最近一次发生", "the latest time"), group: MOMENTS },
];

export function eventView(body: JsonObject, editing: Editing): TemplateResult {
  const { words, change, path } = editing;
  const event = String(body.event ?? "");
  const filtering = eventFilters(body, event, editing, path, change);
  return html`<span class="ab-line">${label(say("行为", "Has"))}
      ${pick(say("行为", "Event"), words.events, event, (name) => change({ ...body, event: name }), isWrong(editing, `${path}/event`))}
      ${howView(body, event, editing)}</span>
    <span class="ab-line">${windowView(body, editing, howOf(body).startsWith("count") || howOf(body) === "never" ? say("时间", "When") : say("统计时段", "Period"))}${body.where === undefined ? filterButton(filtering) : nothing}</span>
    ${whereView(filtering)}`;
}

/** Filters of an event part or of a step of a sequence. */
export function eventFilters(
  body: JsonObject,
  event: string,
  editing: Editing,
  path: string,
  change: (body: JsonObject, typing?: boolean) => void,
): Filtering {
  return {
    editing,
    path: `${path}/where`,
    where: body.where,
    fields: editing.properties(event) ?? [],
    open: editing.properties(event) === null,
    source: (property) => ({ event, property }),
    set: (where, typing) => change(withWhere(body, where), typing),
  };
}

function howView(body: JsonObject, event: string, editing: Editing): TemplateResult {
  const { change, path } = editing;
  const how = howOf(body);
  const numbers = measurable(editing.properties(event) ?? [], false)[0]?.key ?? "";
  const wrong = isWrong(editing, `${path}/op`) || isWrong(editing, `${path}/measure`);
  return html`${choose(say("怎样算", "How"), HOWS, how, (next) => change(withHow(body, next, numbers)), wrong)}
    ${how.startsWith("count:") ? timesView(body, editing) : nothing}
    ${asksProperty(how) ? measuredView(body, event, how, editing) : nothing}
    ${asksTime(how) ? momentView(body, how, editing) : nothing}`;
}

function timesView(body: JsonObject, editing: Editing): TemplateResult {
  const set = (count: number | null) => editing.change({ ...body, count }, true);
  const wrong = isWrong(editing, `${editing.path}/count`);
  const count = body.count === undefined ? 1 : body.count;
  return html`${numberInput(say("次数", "Times"), count, set, { min: 0, whole: true, wrong })}
    <span>${count === 1 ? say("次", "time") : say("次", "times")}</span>`;
}

/** Properties whose values can be added up, or (`values`) compared at all. */
function measurable(fields: Field[], values: boolean): Field[] {
  return fields.filter(({ key, kinds }) => !inList(key) && (values || kinds?.includes("number")));
}

function measuredView(body: JsonObject, event: string, how: string, editing: Editing): TemplateResult {
  const { change, path } = editing;
  const key = String(body.property ?? "");
  const values = how === "first" || how === "last";
  const fields = measurable(editing.properties(event) ?? [], values);
  const known = fields.find((field) => field.key === key) ?? propertyField(key, ["number", "text", "boolean", "time"]);
  const setProperty = (property: string, typing = false) => change({ ...body, property }, typing);
  const wrong = isWrong(editing, `${path}/property`);
  const options = fields.map((item) => ({ value: item.key, label: item.label }));
  return html`${
    options.length > 0
      ? pick(say("属性", "Property"), options, key, setProperty, wrong)
      : html`<input type="text" class="ab-property" aria-label=${say("属性", "Property")} placeholder=${say("属性名", "name of the property")} aria-invalid=${wrong ? "true" : "false"}
          autocomplete="off" spellcheck="false" .value=${key} @input=${(input: Event) => setProperty((input.target as HTMLInputElement).value, true)}>`
  }
  ${comparison({
    ...(values ? propertyComparing(known, body) : { field: { ...known, type: "number" as const }, operators: how === "sum" ? SUMS : NUMBERS }),
    body,
    ask: key ? editing.values({ event, property: key }) : null,
    wrong: (name) => isWrong(editing, `${path}/${name}`),
    set: change,
  })}`;
}

const NUMBERS: [FieldType, string[]][] = [["number", OF_PROPERTIES.number ?? []]];
/** The sum of nothing is 0: it is never missing. */
const SUMS: [FieldType, string[]][] = [["number", (OF_PROPERTIES.number ?? []).filter((op) => !op.startsWith("is_"))]];
const BLANK: Field = { key: "", label: "", type: "number", group: "", suggests: true, choices: [] };

function momentView(body: JsonObject, how: string, editing: Editing): TemplateResult {
  const name = HOWS.find((item) => item.value === how)?.label ?? how;
  return comparison({
    field: { ...BLANK, label: name, type: "time" },
    operators: [["time", OF_TIMES]],
    body,
    ask: null,
    wrong: (key) => isWrong(editing, `${editing.path}/${key}`),
    set: editing.change,
  });
}

const WINDOWS: Named[] = [
  { value: "last", label: say("最近", "in the last") },
  { value: "ago", label: say("若干天前的一段时间", "between … days ago") },
  { value: "dates", label: say("日期之间", "between dates") },
  { value: "ever", label: say("任何时候", "at any time") },
];
const UNITS: Named[] = [
  { value: "within_days", label: say("天内", "days") },
  { value: "within_hours", label: say("小时内", "hours") },
];

/** Which times count. `name`: what the window is of. */
export function windowView(body: JsonObject, editing: Editing, name: string): TemplateResult {
  const { change } = editing;
  const today = new Date().toLocaleDateString("sv"); // ISO order, the reader's day
  const setMode = (next: string) => change(withWindow(body, next as WindowMode, today));
  return html`${label(name)}${choose(say("时间范围", "Period"), WINDOWS, windowMode(body), setMode)}${windowInputs(body, editing)}`;
}

function windowInputs(body: JsonObject, editing: Editing): TemplateResult | typeof nothing {
  const { change, path } = editing;
  const wrong = (key: string) => isWrong(editing, `${path}/${key}`);
  switch (windowMode(body)) {
    case "last": {
      const unit = "within_hours" in body ? "within_hours" : "within_days";
      const { [unit]: n = null, ...rest } = body;
      return html`${numberInput(say("多久", "How long"), n, (next) => change({ ...rest, [unit]: next }, true), { min: 1, whole: true, wrong: wrong(unit) })}
        ${choose(say("单位", "Unit"), UNITS, unit, (next) => change({ ...rest, [next]: n }))}`;
    }
    case "ago": {
      const [older = null, newer = null] = Array.isArray(body.days_ago) ? body.days_ago : [];
      const bad = { min: 0, whole: true, wrong: wrong("days_ago") };
      return html`${numberInput(say("从几天前", "From days ago"), older, (n) => change({ ...body, days_ago: [n, newer] }, true), bad)}
        <span>${say("天前到", "and")}</span>
        ${numberInput(say("到几天前", "To days ago"), newer, (n) => change({ ...body, days_ago: [older, n] }, true), bad)}<span>${say("天前", "days ago")}</span>`;
    }
    case "dates":
      return html`${dayInput(say("从", "From"), body.from, (day) => change(withDate(body, "from", day)), wrong("from"))}
        <span class="muted">${say("到", "to")}</span>${dayInput(say("到", "To"), body.to, (day) => change(withDate(body, "to", day)), wrong("to"))}`;
    default:
      return nothing;
  }
}
