/** "is one of 上海, 杭州": the operator and the value of a field or property, as its type asks for. */
import { html, nothing, type TemplateResult } from "lit";
import type { Ask } from "../../elements/hy-audience-value";
import { say } from "../../words";
import { operatorLabel, startValue, valueKind, withOperator } from "../comparisons";
import type { Json, JsonObject } from "../tree";
import type { Field, FieldType, Named } from "../vocabulary";
import { chips, choose, dayInput, numberInput, textInput } from "./inputs";

export interface Comparing {
  /** What is compared; its type is the one the present value has. */
  field: Field;
  /** The operators of each type the field may have; one, unless nobody knows. */
  operators: [FieldType, string[]][];
  body: JsonObject;
  ask: Ask | null;
  wrong: (key: "op" | "value") => boolean;
  set: (body: JsonObject, typing?: boolean) => void;
}

export function comparison(asked: Comparing): TemplateResult {
  const { field, body, operators } = asked;
  const several = operators.length > 1;
  const options: Named[] = operators.flatMap(([type, ops]) =>
    ops.map((op) => ({ value: `${type} ${op}`, label: operatorLabel(op, type), ...(several ? { group: KINDS[type] } : {}) })),
  );
  const choosing = (text: string) => {
    const [type, op] = text.split(" ") as [FieldType, string];
    const fitting = { ...field, type };
    if (type === field.type) asked.set(withOperator(body, op, fitting));
    else asked.set({ ...withOperator({ ...body, value: null }, op, fitting), ...started(fitting, op) });
  };
  const wrong = asked.wrong("op");
  return html`${choose(say("比较方式", "Comparison"), options, `${field.type} ${String(body.op ?? "")}`, choosing, wrong)}${valueInput(asked)}`;
}

const KINDS: Partial<Record<FieldType, string>> = {
  text: say("按文字", "As text"),
  number: say("按数字", "As a number"),
  boolean: say("是或否", "Yes or no"),
  time: say("按时间", "As a time"),
};

function started(field: Field, op: string): JsonObject {
  const value = startValue(field, op, undefined);
  return value === undefined ? {} : { value };
}

function valueInput(asked: Comparing): TemplateResult | typeof nothing {
  const { field, body } = asked;
  const set = (value: Json, typing = false) => asked.set({ ...body, value }, typing);
  const { value } = body;
  const list = Array.isArray(value) ? value : [];
  const wrong = asked.wrong("value");
  const text = { name: field.label, ask: asked.ask, coded: field.coded ?? false, wrong };
  switch (valueKind(field.type, String(body.op))) {
    case "none":
      return nothing;
    case "text":
      return textInput(String(value ?? ""), text, set);
    case "texts":
      return chips(list.map(String), text, (texts) => set(texts));
    case "numbers":
      return chips(list.map(String), text, (texts) => set(texts.map(Number).filter((number) => Number.isFinite(number))));
    case "number":
      return numberInput(say("数值", "Value"), value, (number) => set(number, true), { wrong });
    case "pair":
      return html`${numberInput(say("从", "From"), list[0], (number) => set([number, list[1] ?? null], true), { wrong })}
        <span class="muted">${say("到", "and")}</span>${numberInput(say("到", "To"), list[1], (number) => set([list[0] ?? null, number], true), { wrong })}`;
    case "flag":
      return choose(say("值", "Value"), FLAGS, String(value), (flag) => set(flag === "true"), wrong);
    case "day":
      return dayInput(say("日期", "Date"), value, (day) => set(day), wrong);
    case "days":
      return html`${dayInput(say("从", "From"), list[0], (day) => set([day, list[1] ?? ""]), wrong)}
        <span class="muted">${say("到", "and")}</span>${dayInput(say("到", "To"), list[1], (day) => set([list[0] ?? "", day]), wrong)}`;
    case "span":
      return html`${numberInput(say("天数", "Days"), value, (number) => set(number, true), { min: 1, whole: true, wrong })}<span>${say("天内", "days")}</span>`;
    case "choice":
      return choose(say("值", "Value"), namesOf(field), String(value), (chosen) => set(original(field, chosen)), wrong);
    case "choiceList":
      return html`<span class="ab-choices" role="group" aria-label=${field.label}>${field.choices.map((choice) => {
        const on = list.includes(choice.value);
        const next = on ? list.filter((item) => item !== choice.value) : [...list, choice.value];
        return html`<button type="button" class="chip ${on ? "chip-on" : ""}" aria-pressed=${on} @click=${() => set(next)}>${choice.label}</button>`;
      })}</span>`;
  }
}

const FLAGS: Named[] = [
  { value: "true", label: say("是", "yes") },
  { value: "false", label: say("否", "no") },
];

function namesOf(field: Field): Named[] {
  return field.choices.map((choice) => ({ value: String(choice.value), label: choice.label }));
}

function original(field: Field, text: string): string | number {
  return field.choices.find((choice) => String(choice.value) === text)?.value ?? text;
}
