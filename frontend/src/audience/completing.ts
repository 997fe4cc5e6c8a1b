/** What may stand next while the text form of an audience is typed. Values in, values out; docs/segments.md has the language. */
import { say } from "../words";
import { operatorLabel } from "./comparisons";
import { fitting } from "./listbox";
import type { Source } from "./views/editing";
import { type Field, type Named, propertyField, type Vocabulary } from "./vocabulary";

/** The text from `start` to `end` gives way to the value of an option. source: real values may be asked for `typed`. */
export interface Completion {
  start: number;
  end: number;
  typed: string;
  options: Named[];
  source?: Source;
}

type Expecting = "operand" | "argument" | "topic" | "property" | "where" | "operator" | "value" | "after" | "nothing";

/** A bracket that is open: of a call, of a list of values, or plain. what: the event or kind of object it speaks of. */
interface Frame {
  call: string;
  what: string;
  args: number;
  where: boolean;
  list: boolean;
}

const TOKEN =
  /"(?:[^"\\]|\\.)*"?|“[^”]*”?|`[^`]*`?|[\p{L}_][\p{L}\p{N}_]*(?:(?:\[\])?\.[\p{L}\p{N}_]+|-[\p{L}\p{N}_]+)*(?:\[\])?\.?|\d[\w.:+-]*|!=|！=|>=|<=|[=<>＝≥≤≠＞＜(（)）,，、]|\S/gu;
const MEASURES = ["sum", "min", "max", "average", "avg", "first", "last", "first_at", "last_at"];
const OF_TIMES = ["first_at", "last_at"];
const CALLS = ["did", "has", "tag", "tag_group", "list", "audience", "consent", "all", "any", ...MEASURES];
const PLAIN = /^[\p{L}_][\p{L}\p{N}_]*((\[\])?\.[\p{L}\p{N}_]+|-[\p{L}\p{N}_]+)*$/u;
const MOST = 60;

export function completion(text: string, caret: number, words: Vocabulary): Completion | null {
  const found = [...text.slice(0, caret).matchAll(TOKEN)].map((match) => ({ text: match[0], start: match.index }));
  const last = found.at(-1);
  const open = last !== undefined && last.start + last.text.length === caret && (isOpen(last.text) || isName(last.text));
  const partial = open ? found.pop() : undefined;
  const reading = new Reading();
  for (const token of found) reading.take(token.text);
  const typed = partial ? partial.text.replace(/^["“`]/, "") : "";
  const end = partial && isOpen(partial.text) && /["”`]/.test(text[caret] ?? "") ? caret + 1 : caret;
  const place = { start: partial?.start ?? caret, end, typed };
  const quoted = partial !== undefined && /^["“]/.test(partial.text);
  const { options, source } = offered(reading, words, quoted);
  const begun = typed.toLowerCase();
  const shown =
    reading.expecting === "after" ? options.filter(({ value }) => value.startsWith(begun)) : fitting(options, typed, MOST);
  if (shown.length === 1 && shown[0]?.value.trim() === partial?.text) return null;
  // After a whole condition only what is begun is completed: nobody wants a list at the end of every line.
  if (reading.expecting === "after" && !typed) return null;
  return shown.length > 0 || source ? { ...place, options: shown, ...(source ? { source } : {}) } : null;
}

/** A real value, as the language writes it. */
export function quotedValue(value: string): string {
  return JSON.stringify(value);
}

/** How far a text has been read: what is open, and what may come next. */
class Reading {
  frames: Frame[] = [{ call: "", what: "", args: 0, where: false, list: false }];
  expecting: Expecting = "operand";
  name = "";
  #call = "";
  #between = false;

  get frame(): Frame {
    return this.frames.at(-1) as Frame;
  }

  /** The call in whose conditions we are. */
  get inside(): Frame | undefined {
    return this.frames.findLast((frame) => frame.where);
  }

  take(token: string): void {
    if (/^[(（]$/.test(token)) return this.#opened();
    if (/^[)）]$/.test(token)) return this.#closed();
    if (/^[,，、]$/.test(token)) return this.#comma();
    if (/^["“]/.test(token)) return this.#string(token.slice(1, -1));
    if (/^(>=|<=|!=|！=|[=<>＝≥≤≠＞＜])$/.test(token)) {
      this.expecting = this.expecting === "after" && !this.frame.list ? "nothing" : "value";
      return;
    }
    if (/^\d/.test(token)) {
      this.expecting = "after";
      return;
    }
    this.#word(token);
  }

  #opened(): void {
    if (this.#call) {
      this.frames.push({ call: this.#call, what: "", args: 0, where: false, list: false });
      this.expecting = ["all", "any"].includes(this.#call) ? "operand" : "argument";
    } else {
      this.frames.push({ call: "", what: "", args: 0, where: false, list: this.expecting === "value" });
    }
    this.#call = "";
  }

  #closed(): void {
    if (this.frames.length > 1) this.frames.pop();
    this.expecting = "after";
  }

  #comma(): void {
    const { frame } = this;
    frame.args += 1;
    if (frame.list) this.expecting = "value";
    else if (frame.call === "consent") this.expecting = "topic";
    else if (MEASURES.includes(frame.call) && !OF_TIMES.includes(frame.call) && frame.args === 1) this.expecting = "property";
    else this.expecting = "where";
  }

  #string(text: string): void {
    if (this.expecting === "argument") this.frame.what = text;
    this.expecting = this.expecting === "value" && !this.frame.list ? "after" : this.expecting === "value" ? "nothing" : "after";
  }

  #word(token: string): void {
    const word = token.toLowerCase();
    if (this.#between && word === "and") {
      this.#between = false;
      this.expecting = "value";
    } else if (word === "and" || word === "or" || (word === "not" && this.expecting !== "operator")) this.expecting = "operand";
    else if (word === "then") this.expecting = "operand";
    else if (this.expecting === "where" && word === "where") {
      this.frame.where = true;
      this.expecting = "operand";
    } else if (this.expecting === "operand") this.#operand(word, token);
    else if (this.expecting === "property") this.expecting = "after";
    else if (this.expecting === "operator") this.#operator(word);
    else if (this.expecting === "value") this.expecting = this.#sets(word) ? "nothing" : "after";
  }

  #operand(word: string, token: string): void {
    if (CALLS.includes(word) && !this.inside) {
      this.#call = word;
      this.expecting = "nothing";
    } else if (word === "everyone") this.expecting = "after";
    else {
      this.name = token.replace(/^`|`$/g, "");
      this.expecting = "operator";
    }
  }

  #operator(word: string): void {
    if (["in", "contains", "before", "after", "with", "between"].includes(word)) this.expecting = "value";
    else if (["is", "starts", "not"].includes(word)) this.expecting = word === "is" ? "nothing" : "operator";
    this.#between = word === "between";
  }

  /** `in last 30d` and `in next 7d` take no value of the field. */
  #sets(word: string): boolean {
    return word === "last" || word === "next";
  }
}

interface Offer {
  options: Named[];
  source?: Source;
}

function offered(reading: Reading, words: Vocabulary, quoted: boolean): Offer {
  const { frame, inside } = reading;
  switch (reading.expecting) {
    case "operand":
      return quoted ? none() : { options: inside ? properties(inside, words) : [...heads(words), ...fields(words)] };
    case "argument":
      return { options: named(frame.call, words) };
    case "topic":
      return { options: frame.args === 1 ? words.topics.map(asText) : [] };
    case "property":
      return { options: properties(frame, words).filter(({ group }) => group !== KEYWORDS) };
    case "where":
      return { options: [keyword("where ", say("只算符合这些条件的", "only those with"))] };
    case "operator":
      return quoted ? none() : { options: operators(fieldOf(reading, words), words) };
    case "value":
      return values(reading, words);
    case "after":
      return quoted ? none() : { options: after(reading) };
    default:
      return none();
  }
}

function none(): Offer {
  return { options: [] };
}

const KEYWORDS = say("写法", "Language");

function keyword(value: string, label: string): Named {
  return { value, label: `${value.trim()} ${label}`, group: KEYWORDS };
}

function asText({ value, label }: Named): Named {
  return { value: JSON.stringify(value), label, note: label === value ? "" : value };
}

function heads(words: Vocabulary): Named[] {
  return [
    keyword('did("', say("做过", "did")),
    keyword("not ", say("不", "does not hold")),
    ...(words.tags.length ? [keyword('tag("', say("有标签", "has the tag"))] : []),
    ...(words.tag_groups.length ? [keyword('tag_group("', say("有标签组中的标签", "has a tag of the group"))] : []),
    ...(words.lists.length ? [keyword('list("', say("在名单上", "is on the list"))] : []),
    ...(words.audiences.length ? [keyword('audience("', say("属于受众", "is in the audience"))] : []),
    ...(words.objects.length ? [keyword('has("', say("有自定义对象", "has an object"))] : []),
    keyword('consent("', say("同意", "consent")),
    ...MEASURES.filter((name) => name !== "avg").map((name) => keyword(`${name}("`, say("事件的数值", "of events"))),
    keyword("everyone", say("每个人", "every contact")),
  ];
}

function spelled(key: string): string {
  return PLAIN.test(key) ? key : `\`${key.replaceAll("`", "``")}\``;
}

function asField({ key, label }: Field, group: string): Named {
  return { value: `${spelled(key)} `, label, group, note: label.includes(key) ? "" : key };
}

function fields(words: Vocabulary): Named[] {
  const group = say("字段", "Fields");
  return words.fields.map((field) => asField(field, group));
}

function fieldsOf(frame: Frame, words: Vocabulary): Field[] {
  if (frame.call === "has") return words.objects.find(({ value }) => value === frame.what)?.fields ?? [];
  const known = words.events.find(({ value }) => value === frame.what)?.properties ?? [];
  return known.map(({ key, kinds }) => propertyField(key, kinds));
}

function properties(frame: Frame, words: Vocabulary): Named[] {
  const group = frame.call === "has" ? say("字段", "Fields") : say("属性", "Properties");
  return [...fieldsOf(frame, words).map((field) => asField(field, group)), keyword("not ", say("不", "does not hold"))];
}

function named(call: string, words: Vocabulary): Named[] {
  if (call === "did" || MEASURES.includes(call)) return words.events.map(asText);
  const known: Record<string, Named[]> = {
    has: words.objects,
    tag: words.tags,
    tag_group: words.tag_groups,
    list: words.lists,
    audience: words.audiences,
    consent: words.channels,
  };
  return (known[call] ?? []).map(asText);
}

function fieldOf(reading: Reading, words: Vocabulary): Field | undefined {
  const { inside, name } = reading;
  return (inside ? fieldsOf(inside, words) : words.fields).find(({ key }) => key === name);
}

const SPELLED: Record<string, string> = {
  not_in: "not in (",
  in: "in (",
  starts_with: "starts with ",
  within_last_days: "in last ",
  within_next_days: "in next ",
  is_set: "is set",
  is_not_set: "is not set",
};

function operators(field: Field | undefined, words: Vocabulary): Named[] {
  const types = field ? (field.kinds?.length ? field.kinds : [field.type]) : (["text", "number"] as const);
  const found = new Map<string, Named>();
  for (const type of types)
    for (const op of words.operators[type] ?? [])
      found.set(op, { value: SPELLED[op] ?? `${op} `, label: `${(SPELLED[op] ?? op).trim()}`, note: operatorLabel(op, type) });
  return [...found.values()];
}

function values(reading: Reading, words: Vocabulary): Offer {
  const field = fieldOf(reading, words);
  if (!field) return none();
  if (field.choices.length > 0)
    return { options: field.choices.map(({ value, label }) => asText({ value: String(value), label })).map((one, place) => (typeof field.choices[place]?.value === "number" ? { ...one, value: String(field.choices[place]?.value) } : one)) };
  if (field.type === "boolean") return { options: ["true", "false"].map((value) => ({ value, label: value })) };
  if (!field.suggests || !(field.type === "text" || field.kinds?.includes("text"))) return none();
  const { inside } = reading;
  if (!inside) return { options: [], source: { field: field.key } };
  return { options: [], source: inside.call === "has" ? { object: inside.what, field: field.key } : { event: inside.what, property: field.key } };
}

function after(reading: Reading): Named[] {
  if (reading.frame.call && !reading.frame.where) return [];
  return [
    keyword("and ", say("并且", "both")),
    keyword("or ", say("或者", "either")),
    keyword("in 30d", say("最近 30 天", "the last 30 days")),
    keyword("from ", say("从某天起", "since a day")),
    keyword('then did("', say("之后做了", "after it did")),
    keyword('then not did("', say("之后没有做", "after it did not")),
    keyword("within 7d", say("7 天之内", "within 7 days")),
  ];
}

function isOpen(token: string): boolean {
  const first = token[0] ?? "";
  if (!['"', "“", "`"].includes(first)) return false;
  const close = first === "“" ? "”" : first;
  return token.length === 1 || !token.endsWith(close) || /(^|[^\\])(\\\\)*\\"$/.test(token);
}

function isName(token: string): boolean {
  return /^[\p{L}_]/u.test(token);
}
