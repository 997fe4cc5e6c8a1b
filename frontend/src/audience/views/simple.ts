/** Conditions of one line: fields, tags, lists, audiences, consent, objects, everyone, and what is not known. */
import { html, nothing, type TemplateResult } from "lit";
import { say } from "../../words";
import { COUNT_OPS } from "../happenings";
import { withWhere } from "../filters";
import { isObject, type Json, type JsonObject } from "../tree";
import type { Field, Named } from "../vocabulary";
import { comparison } from "./comparison";
import { type Editing, isWrong } from "./editing";
import { choose, has, label, numberInput, pick } from "./inputs";
import { type Filtering, filterButton, whereView } from "./where";

export function fieldView(body: JsonObject, editing: Editing): TemplateResult {
  const key = String(body.field ?? "");
  const field = editing.words.fields.find((item) => item.key === key);
  if (!field) return html`<span class="ab-line">${label(say("字段", "Field"))}<code class="ab-raw">${key}</code></span>`;
  return html`<span class="ab-line">${label(field.label)}${comparison({
    field,
    operators: [[field.type, editing.words.operators[field.type]]],
    body,
    ask: field.suggests ? editing.values({ field: field.key }) : null,
    wrong: (name) => isWrong(editing, `${editing.path}/${name}`),
    set: editing.change,
  })}</span>`;
}

/** A tag, group, list or audience: what it is, and which. */
export function namedView(
  head: "tag" | "tag_group" | "list" | "audience",
  body: JsonObject,
  editing: Editing,
): TemplateResult {
  const { words } = editing;
  const [yes, no, name, options] = {
    tag: [say("有标签", "has the tag"), say("没有标签", "does not have the tag"), say("标签", "Tag"), words.tags] as const,
    tag_group: [
      say("有这一组的任一标签", "has any tag of"),
      say("没有这一组的任何标签", "has no tag of"),
      say("标签组", "Tag group"),
      words.tag_groups,
    ] as const,
    list: [say("在名单中", "is on the list"), say("不在名单中", "is not on the list"), say("名单", "List"), words.lists] as const,
    audience: [
      say("属于受众", "is in the audience"),
      say("不属于受众", "is not in the audience"),
      say("受众", "Audience"),
      words.audiences,
    ] as const,
  }[head];
  const set = (value: string) => editing.change({ [head]: value });
  return html`<span class="ab-line">${has(say("有或没有", "Has or has not"), yes, no, editing)}
    ${pick(name, options, body[head], set, isWrong(editing, `${editing.path}/${head}`))}</span>`;
}

export function consentView(body: JsonObject, editing: Editing): TemplateResult {
  const { words } = editing;
  const consent: JsonObject = isObject(body.consent) ? body.consent : {};
  const set = (part: JsonObject) => {
    const next: JsonObject = { ...consent, ...part };
    if (!next.topic) delete next.topic;
    editing.change({ consent: next });
  };
  const wrong = (key: string) => isWrong(editing, `${editing.path}/consent/${key}`);
  const topics = [{ value: "", label: say("整个渠道", "the channel as a whole") }, ...words.topics];
  return html`<span class="ab-line">${label(say("对", "Consent to"))}
    ${choose(say("渠道", "Channel"), words.channels, consent.channel, (channel) => set({ channel }), wrong("channel"))}
    <span>${say("的同意，关于", "about")}</span>
    ${choose(say("订阅主题", "Topic"), topics, consent.topic ?? "", (topic) => set({ topic }), wrong("topic"))}
    ${has(say("是或不是", "Is or is not"), say("是", "is"), say("不是", "is not"), editing)}
    ${choose(say("状态", "State"), words.states, consent.state, (state) => set({ state }), wrong("state"))}</span>`;
}

const COUNTS: Record<string, string> = {
  ">=": say("至少", "at least"),
  "<=": say("至多", "at most"),
  "=": say("正好", "exactly"),
  ">": say("多于", "more than"),
  "<": say("少于", "fewer than"),
  "!=": say("数量不是", "any number but"),
};

export function objectView(body: JsonObject, editing: Editing): TemplateResult {
  const { words, change, path } = editing;
  const key = String(body.object ?? "");
  const kind = words.objects.find((item) => item.value === key);
  const none = body.op === "=" && body.count === 0;
  const hows: Named[] = [
    ...COUNT_OPS.map((op) => ({ value: op, label: COUNTS[op] ?? op })),
    { value: "none", label: say("一个也没有", "none") },
  ];
  const setHow = (how: string) => change(how === "none" ? { ...body, op: "=", count: 0 } : { ...body, op: how, count: none ? 1 : (body.count ?? 1) });
  const filtering = objectFilters(body, key, kind?.fields ?? [], editing);
  const setKind = (object: string) => change(withWhere({ ...body, object }, undefined));
  return html`<span class="ab-line">${label(say("拥有", "Has"))}
      ${pick(say("对象", "Object"), words.objects, key, setKind, isWrong(editing, `${path}/object`))}
      ${choose(say("数量", "How many"), hows, none ? "none" : String(body.op ?? ">="), setHow, isWrong(editing, `${path}/op`))}
      ${none ? nothing : numberInput(say("数量", "Number"), body.count === undefined ? 1 : body.count, (count) => change({ ...body, count }, true), { min: 0, whole: true, wrong: isWrong(editing, `${path}/count`) })}
      ${body.where === undefined && filtering.fields.length > 0 ? filterButton(filtering) : nothing}</span>
    ${whereView(filtering)}`;
}

function objectFilters(body: JsonObject, key: string, fields: Field[], editing: Editing): Filtering {
  return {
    editing,
    path: `${editing.path}/where`,
    where: body.where,
    fields,
    open: false,
    object: true,
    source: (field) => ({ object: key, field }),
    set: (where, typing) => editing.change(withWhere(body, where), typing),
  };
}

export function everyoneView(): TemplateResult {
  return html`<span class="ab-line">${label(say("所有联系人", "Everyone"))}</span>`;
}

/** A part this builder does not know: shown as it is, and mended as text. */
export function unknownView(body: JsonObject, replace: (tree: Json) => void): TemplateResult {
  const mended = (area: HTMLTextAreaElement): void => {
    try {
      replace(JSON.parse(area.value) as Json);
      area.setCustomValidity("");
    } catch {
      area.setCustomValidity(say("这不是合法的 JSON。", "This is not valid JSON."));
      area.reportValidity();
    }
  };
  return html`<span class="ab-line">${label(say("无法识别的部分", "A part that is not known"))}</span>
    <textarea class="mono ab-raw-edit" rows="3" spellcheck="false" aria-label=${say("这一部分的 JSON", "This part as JSON")} .value=${JSON.stringify(body.raw ?? null, null, 1)}
      @change=${(event: Event) => mended(event.target as HTMLTextAreaElement)}></textarea>`;
}
