/** Single inputs. Each has a name for screen readers and reports what was entered. */
import { html, nothing, type TemplateResult } from "lit";
import type { Ask } from "../../elements/hy-audience-value";
import { say } from "../../words";
import type { Json } from "../tree";
import type { Named } from "../vocabulary";

export function label(text: string): TemplateResult {
  return html`<span class="ab-name">${text}</span>`;
}

/** Few named things: the browser's own list. What is no longer among them stays visible with a question mark. */
export function choose(
  name: string,
  options: Named[],
  value: Json | undefined,
  set: (value: string) => void,
  wrong = false,
): TemplateResult {
  const present = String(value ?? "");
  const known = options.some((option) => option.value === present);
  const groups = [...new Set(options.map((option) => option.group ?? ""))];
  const row = (option: Named) =>
    html`<option value=${option.value} ?selected=${option.value === present}>${option.label}</option>`;
  return html`<select aria-label=${name} aria-invalid=${wrong ? "true" : "false"} .value=${present}
    @change=${(event: Event) => set((event.target as HTMLSelectElement).value)}>
    ${known ? nothing : html`<option value=${present} selected>${present ? `${present} ?` : say("请选择", "Choose…")}</option>`}
    ${groups.map((group) =>
      group
        ? html`<optgroup label=${group}>${options.filter((option) => option.group === group).map(row)}</optgroup>`
        : options.filter((option) => !option.group).map(row),
    )}
  </select>`;
}

/** "has" or "has not": the negation of a condition, in its own words. */
export function has(name: string, yes: string, no: string, editing: { not: boolean; turn: () => void }): TemplateResult {
  const options = [
    { value: "yes", label: yes },
    { value: "no", label: no },
  ];
  const present = editing.not ? "no" : "yes";
  return choose(name, options, present, (next) => {
    if (next !== present) editing.turn();
  });
}

/** Many named things: a list one can search. */
export function pick(
  name: string,
  options: Named[],
  value: Json | undefined,
  set: (value: string) => void,
  wrong = false,
): TemplateResult {
  if (options.length <= 8) return choose(name, options, value, set, wrong);
  return html`<hy-audience-picker class="ab-picker" .options=${options} .label=${name} .value=${String(value ?? "")} .wrong=${wrong}
    .say=${say("请选择", "Choose…")} @pick=${(event: CustomEvent<{ value: string }>) => set(event.detail.value)}></hy-audience-picker>`;
}

export interface TextOptions {
  name: string;
  ask: Ask | null;
  coded?: boolean;
  wrong?: boolean;
}

export function textInput(value: string, options: TextOptions, set: (text: string, typing: boolean) => void): TemplateResult {
  return html`<hy-audience-value class="ab-value" .label=${options.name} .value=${value} .ask=${options.ask} .coded=${options.coded ?? false}
    .wrong=${options.wrong ?? false}
    @value=${(event: CustomEvent<{ value: string; typing: boolean }>) => set(event.detail.value, event.detail.typing)}></hy-audience-value>`;
}

/** Several values, each a chip. */
export function chips(values: string[], options: TextOptions, set: (values: string[]) => void): TemplateResult {
  const add = (text: string) => {
    if (!values.includes(text)) set([...values, text]);
  };
  return html`<span class="ab-chips">${values.map(
    (value) => html`<span class="chip chip-on">${value}<button type="button" class="ab-x" aria-label="${say("去掉", "Remove")} ${value}"
      @click=${() => set(values.filter((item) => item !== value))}>×</button></span>`,
  )}<hy-audience-value class="ab-value" adds .label="${options.name}${say("：添加一个值，按回车", ": add a value, press Enter")}" .adds=${true} .value=${""}
      .ask=${options.ask} .coded=${options.coded ?? false} .wrong=${options.wrong ?? false}
      @value=${(event: CustomEvent<{ value: string }>) => add(event.detail.value)}></hy-audience-value></span>`;
}

/** An emptied field is a missing value, not the number that stood there before. */
export function numberInput(
  name: string,
  value: Json | undefined,
  set: (value: number | null) => void,
  options: { min?: number; whole?: boolean; wrong?: boolean } = {},
): TemplateResult {
  return html`<input type="number" class="ab-number" aria-label=${name} step=${options.whole ? "1" : "any"} min=${options.min ?? nothing}
    aria-invalid=${options.wrong ? "true" : "false"} .value=${String(value ?? "")}
    @input=${(event: Event) => {
      const number = (event.target as HTMLInputElement).valueAsNumber;
      set(Number.isFinite(number) ? number : null);
    }} @keydown=${stay}>`;
}

/** Whole days; an instant that came in a tree is shown as it is. */
export function dayInput(
  name: string,
  value: Json | undefined,
  set: (value: string) => void,
  wrong = false,
): TemplateResult {
  const text = String(value ?? "");
  const instant = text.length > 10;
  return html`<input type=${instant ? "text" : "date"} class="ab-day" aria-label=${name} aria-invalid=${wrong ? "true" : "false"} .value=${text}
    @input=${(event: Event) => set((event.target as HTMLInputElement).value)} @keydown=${stay}>`;
}

/** Enter in a field of a condition does not send the page's form. */
function stay(event: KeyboardEvent): void {
  if (event.key === "Enter") event.preventDefault();
}
