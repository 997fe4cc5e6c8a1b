/** The inputs of one condition. Each reports the new body of the condition; `typing` changes merge into one undo step. */
import { html, nothing, type TemplateResult } from "lit";
import { say } from "../words";
import type { Condition, Json, JsonObject } from "./tree";
import { COUNTS, type Field, type Named, operatorLabel, type Vocabulary, valueKind, withOperator } from "./vocabulary";

export interface Editing {
  words: Vocabulary;
  change: (body: JsonObject, typing?: boolean) => void;
  /** Real values for a field, for its <datalist>. */
  suggest: (field: Field, text: string) => void;
  suggestions: (field: Field) => Named[];
}

export function conditionFields(item: Condition, editing: Editing): TemplateResult {
  const { words, change } = editing;
  const body = item.body;
  switch (item.head) {
    case "field":
      return fieldParts(body, editing);
    case "tag":
      return html`${label(say("标签", "Tag"))}${choose(say("标签", "Tag"), words.tags, body.tag, (tag) => change({ tag }))}`;
    case "tag_group":
      return html`${label(say("有此组中的标签", "Any tag of"))}${choose(say("标签组", "Tag group"), words.tag_groups, body.tag_group, (value) => change({ tag_group: value }))}`;
    case "list":
      return html`${label(say("在名单", "On the list"))}${choose(say("名单", "List"), words.lists, body.list, (list) => change({ list }))}`;
    case "audience":
      return html`${label(say("属于受众", "In the audience"))}${choose(say("受众", "Audience"), words.audiences, body.audience, (value) => change({ audience: value }))}`;
    case "consent":
      return consentParts(body, editing);
    case "event":
      return eventParts(body, editing);
  }
}

function fieldParts(body: JsonObject, editing: Editing): TemplateResult {
  const field = editing.words.fields.find((item) => item.key === body.field);
  if (!field)
    return html`<span class="ab-wrong">${say("字段已不存在", "This field is gone")}: ${String(body.field)}</span>`;
  const operators = editing.words.operators[field.type].map((op) => ({
    value: op,
    label: operatorLabel(op, field.type),
  }));
  return html`${label(field.label)}
    ${choose(say("比较方式", "Comparison"), operators, body.op, (op) => editing.change(withOperator(body, op, field)))}
    ${valueInput(field, body, editing)}`;
}

function valueInput(field: Field, body: JsonObject, editing: Editing): TemplateResult | typeof nothing {
  const set = (value: Json, typing = false) => editing.change({ ...body, value }, typing);
  const value = body.value;
  const list = Array.isArray(value) ? value : [];
  switch (valueKind(field.type, String(body.op))) {
    case "none":
      return nothing;
    case "text":
      return textInput(field, String(value ?? ""), editing, (text) => set(text, true));
    case "texts":
      return chips(field, list.map(String), editing, (texts) => set(texts));
    case "numbers":
      return chips(field, list.map(String), editing, (texts) =>
        set(texts.map(Number).filter((number) => Number.isFinite(number))),
      );
    case "number":
      return numberInput(say("数值", "Value"), value, (number) => set(number, true));
    case "pair":
      return html`${numberInput(say("从", "From"), list[0], (number) => set([number, list[1] ?? 0], true))}
        <span class="muted">–</span>${numberInput(say("到", "To"), list[1], (number) => set([list[0] ?? 0, number], true))}`;
    case "flag":
      return choose(say("值", "Value"), flags, String(value), (text) => set(text === "true"));
    case "day":
      return dayInput(say("日期", "Date"), value, (day) => set(day));
    case "days":
      return html`${dayInput(say("从", "From"), list[0], (day) => set([day, list[1] ?? ""]))}
        <span class="muted">–</span>${dayInput(say("到", "To"), list[1], (day) => set([list[0] ?? "", day]))}`;
    case "span":
      return html`${numberInput(say("天数", "Days"), value, (number) => set(number, true), 1)}<span>${say("天", "days")}</span>`;
    case "choice":
      return choose(say("值", "Value"), named(field), String(value), (text) => set(original(field, text)));
    case "choiceList":
      return html`<span class="ab-choices" role="group" aria-label=${field.label}>${field.choices.map((choice) => {
        const on = list.includes(choice.value);
        const next = on ? list.filter((item) => item !== choice.value) : [...list, choice.value];
        return html`<button type="button" class="chip ${on ? "chip-on" : ""}" aria-pressed=${on} @click=${() => set(next)}>${choice.label}</button>`;
      })}</span>`;
  }
}

const flags: Named[] = [
  { value: "true", label: say("是", "yes") },
  { value: "false", label: say("否", "no") },
];

function named(field: Field): Named[] {
  return field.choices.map((choice) => ({ value: String(choice.value), label: choice.label }));
}

function original(field: Field, text: string): string | number {
  return field.choices.find((choice) => String(choice.value) === text)?.value ?? text;
}

function consentParts(body: JsonObject, editing: Editing): TemplateResult {
  const { words } = editing;
  const consent = (typeof body.consent === "object" && body.consent !== null ? body.consent : {}) as JsonObject;
  const set = (part: JsonObject) => {
    const next: JsonObject = { ...consent, ...part };
    if (!next.topic) delete next.topic;
    editing.change({ consent: next });
  };
  const topics = [{ value: "", label: say("整个渠道", "the channel as a whole") }, ...words.topics];
  return html`${label(say("同意", "Consent"))}
    ${choose(say("渠道", "Channel"), words.channels, consent.channel, (channel) => set({ channel }))}
    ${choose(say("订阅主题", "Topic"), topics, consent.topic ?? "", (topic) => set({ topic }))}
    ${choose(say("状态", "State"), words.states, consent.state, (state) => set({ state }))}`;
}

function eventParts(body: JsonObject, editing: Editing): TemplateResult {
  const { words, change } = editing;
  const op = String(body.op ?? ">=");
  const never = op === "=" && body.count === 0;
  const did = never ? "never" : COUNTS.some(([value]) => value === op) ? op : "other";
  const modes = [
    ...COUNTS.map(([value, text]) => ({ value, label: `${say("发生过", "did")} · ${text}` })),
    { value: "never", label: say("没有发生", "did not") },
  ];
  if (did === "other") modes.push({ value: "other", label: `${op}` });
  const setMode = (mode: string) => {
    if (mode === "other") return;
    if (mode === "never") change({ ...body, op: "=", count: 0 });
    else change({ ...body, op: mode, count: never ? 1 : (body.count ?? 1) });
  };
  return html`${label(say("行为", "Behaviour"))}
    ${choose(say("事件", "Event"), words.events, body.event, (event) => change({ ...body, event }))}
    ${choose(say("次数", "How often"), modes, did, setMode)}
    ${
      never
        ? nothing
        : html`${numberInput(say("次数", "Times"), body.count ?? 1, (count) => change({ ...body, count }, true), op === ">=" ? 1 : 0)}
          <span>${say("次", "times")}</span>`
    }
    ${windowParts(body, change)}
    ${
      body.where === undefined
        ? nothing
        : html`<span class="chip">${say("附带属性条件", "with property conditions")}
            <button type="button" class="ab-x" aria-label=${say("去掉属性条件", "Drop the property conditions")} @click=${() => {
              const { where: _where, ...rest } = body;
              change(rest);
            }}>×</button></span>`
    }`;
}

function windowParts(body: JsonObject, change: Editing["change"]): TemplateResult {
  const { within_days: days, from, to, ...rest } = body;
  const mode = days !== undefined ? "days" : from !== undefined || to !== undefined ? "dates" : "ever";
  const modes = [
    { value: "days", label: say("最近", "in the last") },
    { value: "dates", label: say("日期范围", "between dates") },
    { value: "ever", label: say("有史以来", "ever") },
  ];
  const today = new Date().toISOString().slice(0, 10);
  const setMode = (next: string) => {
    if (next === "days") change({ ...rest, within_days: 90 });
    else if (next === "dates") change({ ...rest, from: today, to: today });
    else change(rest);
  };
  return html`${choose(say("时间范围", "Time"), modes, mode, setMode)}
    ${mode === "days" ? html`${numberInput(say("天数", "Days"), days, (number) => change({ ...rest, within_days: number }, true), 1)}<span>${say("天", "days")}</span>` : nothing}
    ${
      mode === "dates"
        ? html`${dayInput(say("从", "From"), from, (day) => change({ ...rest, ...dates(day, to) }))}<span class="muted">–</span>
          ${dayInput(say("到", "To"), to, (day) => change({ ...rest, ...dates(from, day) }))}`
        : nothing
    }`;
}

function dates(from: Json | undefined, to: Json | undefined): JsonObject {
  return { ...(from ? { from } : {}), ...(to ? { to } : {}) };
}

function label(text: string): TemplateResult {
  return html`<span class="ab-name">${text}</span>`;
}

function choose(name: string, options: Named[], value: Json | undefined, set: (value: string) => void): TemplateResult {
  const present = String(value ?? "");
  const known = options.some((option) => option.value === present);
  const groups = [...new Set(options.map((option) => option.group ?? ""))];
  const row = (option: Named) =>
    html`<option value=${option.value} ?selected=${option.value === present}>${option.label}</option>`;
  return html`<select aria-label=${name} .value=${present} @change=${(event: Event) => set((event.target as HTMLSelectElement).value)}>
    ${known ? nothing : html`<option value=${present} selected>${present ? `${present} ?` : say("请选择", "Choose…")}</option>`}
    ${groups.map((group) =>
      group
        ? html`<optgroup label=${group}>${options.filter((option) => option.group === group).map(row)}</optgroup>`
        : options.filter((option) => !option.group).map(row),
    )}
  </select>`;
}

function textInput(field: Field, value: string, editing: Editing, set: (text: string) => void): TemplateResult {
  return html`<input type="text" class="ab-text" aria-label=${field.label} .value=${value} autocomplete="off" list=${listId(field)}
      @focus=${() => editing.suggest(field, "")}
      @input=${(event: Event) => {
        const text = (event.target as HTMLInputElement).value;
        editing.suggest(field, text);
        set(text);
      }}>${dataList(field, editing)}`;
}

function chips(field: Field, values: string[], editing: Editing, set: (values: string[]) => void): TemplateResult {
  const add = (input: HTMLInputElement) => {
    const text = input.value.trim();
    if (text && !values.includes(text)) set([...values, text]);
    input.value = "";
  };
  return html`<span class="ab-chips">${values.map(
    (
      value,
    ) => html`<span class="chip chip-on">${nameOf(field, value, editing)}<button type="button" class="ab-x" aria-label="${say("去掉", "Remove")} ${value}"
      @click=${() => set(values.filter((item) => item !== value))}>×</button></span>`,
  )}<input type="text" class="ab-add" aria-label="${field.label}：${say("添加一个值，按回车", "add a value, press Enter")}" placeholder=${say("添加，按回车", "Add, press Enter")}
      list=${listId(field)} autocomplete="off"
      @focus=${() => editing.suggest(field, "")}
      @input=${(event: Event) => editing.suggest(field, (event.target as HTMLInputElement).value)}
      @change=${(event: Event) => add(event.target as HTMLInputElement)}
      @keydown=${(event: KeyboardEvent) => {
        if (event.key !== "Enter" || event.isComposing) return;
        event.preventDefault();
        add(event.target as HTMLInputElement);
      }}>${dataList(field, editing)}</span>`;
}

function nameOf(field: Field, value: string, editing: Editing): string {
  return editing.suggestions(field).find((item) => item.value === value)?.label ?? value;
}

function listId(field: Field): string {
  return field.suggests ? `ab-values-${field.key}` : "";
}

function dataList(field: Field, editing: Editing): TemplateResult | typeof nothing {
  if (!field.suggests) return nothing;
  return html`<datalist id=${listId(field)}>${editing.suggestions(field).map((item) => html`<option value=${item.value}>${item.label === item.value ? "" : item.label}</option>`)}</datalist>`;
}

function numberInput(
  name: string,
  value: Json | undefined,
  set: (value: number) => void,
  min?: number,
): TemplateResult {
  return html`<input type="number" class="ab-number" aria-label=${name} step="any" min=${min ?? nothing} .value=${String(value ?? "")}
    @input=${(event: Event) => {
      const number = (event.target as HTMLInputElement).valueAsNumber;
      if (Number.isFinite(number)) set(number);
    }}>`;
}

function dayInput(name: string, value: Json | undefined, set: (value: string) => void): TemplateResult {
  return html`<input type="date" class="ab-day" aria-label=${name} .value=${String(value ?? "")}
    @change=${(event: Event) => set((event.target as HTMLInputElement).value)}>`;
}
