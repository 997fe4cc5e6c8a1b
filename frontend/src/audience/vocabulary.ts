/** What conditions may speak of, as `audiences:vocabulary` answers, and the fitting first state of each kind of condition. */
import { say } from "../words";
import { withOperator } from "./comparisons";
import type { Condition, Head, Json, JsonObject } from "./tree";
import { condition } from "./tree";

export type FieldType = "text" | "number" | "boolean" | "date" | "time" | "choice" | "choices" | "sealed";

export interface Named {
  value: string;
  label: string;
  group?: string;
  /** Said beside the name: how many people have it. */
  note?: string;
}

export interface Field {
  key: string;
  label: string;
  type: FieldType;
  group: string;
  suggests: boolean;
  /** The values are codes that people know by names. */
  coded?: boolean;
  choices: { value: string | number; label: string }[];
  /** Of a property of events: the kinds of values seen in it, when not exactly one. */
  kinds?: FieldType[];
}

/** properties: what is known of them; null when nothing is, so that any may be named. */
export interface EventKind extends Named {
  properties: { key: string; kinds: FieldType[] }[] | null;
}

export interface ObjectKind {
  value: string;
  label: string;
  fields: Field[];
}

export interface Example {
  name: string;
  about: string;
  tree: Json;
}

export interface Vocabulary {
  fields: Field[];
  operators: Record<FieldType, string[]>;
  tags: Named[];
  tag_groups: Named[];
  lists: Named[];
  audiences: Named[];
  events: EventKind[];
  objects: ObjectKind[];
  channels: Named[];
  topics: Named[];
  states: Named[];
  examples: Example[];
}

export const GROUPS: [string, string][] = [
  ["person", say("个人", "Person")],
  ["place", say("地区", "Place")],
  ["lifecycle", say("生命周期", "Lifecycle")],
  ["rfm", say("RFM 价值", "RFM")],
  ["orders", say("订单", "Orders")],
  ["company", say("公司", "Company")],
  ["activity", say("来源与活动", "Source and activity")],
  ["custom", say("自定义字段", "Custom fields")],
];

/** Properties as people call them; the others go by their keys. */
const PROPERTIES: Record<string, string> = {
  affiliation: say("店铺", "shop"),
  amount: say("金额", "amount"),
  app_name: say("应用", "app"),
  app_version: say("应用版本", "version of the app"),
  brand: say("品牌", "brand"),
  category: say("类别", "category"),
  coupon: say("优惠券", "coupon"),
  currency: say("币种", "currency"),
  device_type: say("设备类型", "kind of device"),
  discount: say("折扣", "discount"),
  link: say("链接序号", "number of the link"),
  locale: say("设备语言", "language of the device"),
  machine: say("机器或人", "machine or person"),
  message_id: say("邮件编号", "number of the mail"),
  method: say("方式", "way"),
  name: say("名称", "name"),
  order_id: say("订单号", "order number"),
  origin_id: say("来源编号", "number of the origin"),
  origin_kind: say("来自活动或旅程", "campaign or journey"),
  os_name: say("操作系统", "operating system"),
  page_path: say("所在页面路径", "path of the page it happened on"),
  page_referrer: say("上一页面", "page before that"),
  page_search: say("网址查询串", "search part of the address"),
  page_title: say("所在页面标题", "title of the page it happened on"),
  page_url: say("所在页面网址", "address of the page it happened on"),
  path: say("页面路径", "page path"),
  price: say("单价", "price"),
  product_id: say("商品编号", "product number"),
  products: say("商品", "products"),
  products_count: say("商品件数", "number of products"),
  quantity: say("数量", "quantity"),
  query: say("搜索词", "search words"),
  revenue: say("收入", "revenue"),
  shipping: say("运费", "shipping"),
  sku: "SKU",
  subject: say("邮件主题", "subject"),
  tax: say("税费", "tax"),
  timezone: say("设备时区", "time zone of the device"),
  title: say("标题", "title"),
  topic: say("订阅主题", "topic"),
  total: say("总额", "total"),
  total_minor: say("总额（最小单位）", "total in minor units"),
  url: say("网址", "address"),
  utm_campaign: say("UTM 活动", "UTM campaign"),
  utm_content: say("UTM 内容", "UTM content"),
  utm_medium: say("UTM 媒介", "UTM medium"),
  utm_source: say("UTM 来源", "UTM source"),
  utm_term: say("UTM 关键词", "UTM term"),
  value: say("价值", "value"),
  variant: say("规格", "variant"),
};

/** `products[].category` asks the things of a list. */
const IN_LIST = /^(.+)\[\]\.([^[\]]+)$/;

export function inList(key: string): boolean {
  return IN_LIST.test(key);
}

function nameOf(key: string): string | undefined {
  const [, list, inner] = IN_LIST.exec(key) ?? [];
  if (!list || !inner) return PROPERTIES[key];
  const [of, name] = [PROPERTIES[list] ?? list, PROPERTIES[inner] ?? inner];
  return say(`某件${of}的${name}`, `${name} of one of the ${of}`);
}

export function propertyField(key: string, kinds: FieldType[]): Field {
  const name = nameOf(key);
  const [only] = kinds;
  const type = kinds.length > 1 ? "text" : (only ?? "sealed");
  const label = !name || name === key ? key : inList(key) ? name : say(`${name}（${key}）`, `${name} (${key})`);
  return { key, label, type, group: "", suggests: true, choices: [], kinds };
}

/** Everything a condition can begin with, for the picker: what people did first. Values are "head" or "head:key". */
export function beginnings(words: Vocabulary): Named[] {
  const did = say("做过或没做过的事", "What they did or did not do");
  const has = say("归属", "What they belong to");
  const others = new Set(GROUPS.map(([key]) => key));
  return [
    ...words.events.map(({ value, label }) => ({ value: `event:${value}`, label, group: did })),
    ...(words.events.length > 0
      ? [{ value: "sequence", label: say("先后做了几件事（行为序列）", "Did several things in order"), group: did }]
      : []),
    ...some(words.tags, "tag", say("标签", "Tag"), has),
    ...some(words.tag_groups, "tag_group", say("标签组中的任一标签", "Any tag of a group"), has),
    ...some(words.lists, "list", say("名单", "List"), has),
    ...some(words.audiences, "audience", say("已保存的受众", "Saved audience"), has),
    { value: "consent", label: say("同意与订阅主题", "Consent and topics"), group: has },
    ...words.objects.map(({ value, label }) => ({
      value: `object:${value}`,
      label,
      group: say("自定义对象", "Custom objects"),
    })),
    ...GROUPS.flatMap(([key, group]) => fieldsOf(words, (field) => field.group === key, group)),
    ...fieldsOf(words, (field) => !others.has(field.group), say("其他", "Other")),
  ];
}

function some(of: Named[], value: string, label: string, group: string): Named[] {
  return of.length > 0 ? [{ value, label, group }] : [];
}

function fieldsOf(words: Vocabulary, wanted: (field: Field) => boolean, group: string): Named[] {
  return words.fields.filter(wanted).map((field) => ({ value: `field:${field.key}`, label: field.label, group }));
}

/** A new condition of a kind; `key` says which field, event or object. */
export function start(head: Head, words: Vocabulary, key = ""): Condition {
  switch (head) {
    case "tag":
      return condition("tag", { tag: words.tags[0]?.value ?? "" });
    case "tag_group":
      return condition("tag_group", { tag_group: words.tag_groups[0]?.value ?? "" });
    case "list":
      return condition("list", { list: words.lists[0]?.value ?? "" });
    case "audience":
      return condition("audience", { audience: words.audiences[0]?.value ?? "" });
    case "consent":
      return condition("consent", { consent: { channel: "email", state: "given" } });
    case "event":
      return condition("event", { event: key || firstEvent(words), op: ">=", count: 1, within_days: 90 });
    case "sequence":
      return condition("sequence", startSequence(words));
    case "object":
      return condition("object", { object: key || (words.objects[0]?.value ?? ""), op: ">=", count: 1 });
    case "everyone":
      return condition("everyone", { everyone: true });
    default:
      return condition("field", withField(key || (words.fields[0]?.key ?? ""), words));
  }
}

/** "Viewed a product, then no order within a day": the question one has most often. */
function startSequence(words: Vocabulary): JsonObject {
  const known = (name: string) => words.events.some((event) => event.value === name);
  const first = known("product_viewed") ? "product_viewed" : firstEvent(words);
  const then = known("order_completed") ? "order_completed" : firstEvent(words);
  return { sequence: [{ event: first }, { event: then, within: { days: 7 } }], within_days: 90 };
}

function firstEvent(words: Vocabulary): string {
  return words.events[0]?.value ?? "";
}

function withField(key: string, words: Vocabulary): JsonObject {
  const field = words.fields.find((item) => item.key === key);
  if (!field) return { field: key, op: "is_set" };
  const op = words.operators[field.type][0] ?? "is_set";
  return { field: key, ...withOperator({}, op, field) };
}
