// A small program on types generated from the daemon's OpenAPI document: it compiles only while the document says
// what the daemon does, and it runs against `ft serve --paper`.
import createClient from "openapi-fetch";
import type { components, paths } from "./ft.js";

declare const process: { env: Record<string, string | undefined>; exitCode?: number };

type Order = components["schemas"]["EquityOrder"];

// The broker's own document (`?raw=true`) comes under another media type, and nobody can type it.
const ft = createClient<paths, "application/json">({
  baseUrl: process.env.FT_URL ?? "http://127.0.0.1:8787",
  headers: { Authorization: `Bearer ${process.env.FT_KEY}` },
});

function must<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new Error(`no ${what}`);
  return value;
}

async function marketValue(acct: string): Promise<number> {
  const { data, error } = await ft.GET("/api/v1/accounts/{acct}/positions", { params: { path: { acct } } });
  if (error) throw new Error(`${error.error.code}: ${error.error.message}`);
  const values = data.data.positions.map((position) => position.market_value ?? 0);
  return values.reduce((sum, value) => sum + value, 0);
}

async function previewed(order: Order): Promise<string> {
  const { data, error } = await ft.POST("/api/v1/orders/equity/preview", { body: order });
  if (error) throw new Error(`${error.error.code}: ${error.error.message}`);
  return must(data.data.conf_num, "confirmation number");
}

const acct = "Z20000025";
const total = await marketValue(acct);
if (!(total > 0)) throw new Error(`market value ${total}`);

const order: Order = {
  account: acct,
  symbol: "AAPL",
  action: "buy",
  quantity: 3,
  order_type: "limit",
  limit_price: "101.50", // numbers may be texts, so that their decimals survive
};
const number = await previewed(order);

const { error, response } = await ft.GET("/api/v1/market-data/quotes", { params: { query: { symbols: ["NOSUCH"] } } });
if (response.status !== 404 || error?.error.code !== "NOT_FOUND") throw new Error("an unknown symbol must be NOT_FOUND");

// @ts-expect-error a stop order without its stop price is no order
const wrong: Order = { account: acct, symbol: "AAPL", action: "sell", quantity: 1, order_type: "stop" };

console.log(`positions worth ${total.toFixed(2)}, preview ${number}, refused as expected: ${wrong.order_type}`);
