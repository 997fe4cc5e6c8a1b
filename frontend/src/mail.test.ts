import { expect, test } from "vitest";
import { columns, lineOf, mergeTag } from "./mail";

test("a Han character takes two columns and merge tags none", () => {
  expect(columns("abc")).toBe(3);
  expect(columns("秋季 8 折")).toBe(9);
  expect(columns('{{ contact.city or "x" }}，您好')).toBe(6);
});

test("findings point to lines of the source", () => {
  expect(lineOf("source:12")).toBe(12);
  expect(lineOf("subject")).toBeNull();
  expect(lineOf("https://shop.example/source:3")).toBeNull();
});

test("fields of people come with room for a fallback, links do not", () => {
  expect(mergeTag("contact.city", "")).toBe('{{ contact.city or "" }}');
  expect(mergeTag("unsubscribe_url", "1")).toBe("{{ unsubscribe_url }}");
  expect(mergeTag("sender.company", "")).toBe("{{ sender.company }}");
});
