import type { Delivery } from "../wire/contract";
import { request } from "../wire/request";

const delivery = (answer: { delivery: Delivery }): Delivery => answer.delivery;

export const cancelDelivery = (id: number) =>
  request("POST /api/deliveries/{id}/cancel", { params: { id } }).then(delivery);

export const doNext = (id: number) => request("POST /api/deliveries/{id}/front", { params: { id } }).then(delivery);

export const mergeInto = (id: number, into: number) =>
  request("POST /api/deliveries/{id}/merge", { params: { id }, body: { into } }).then(delivery);

export const retryDelivery = (id: number, isFresh: boolean) =>
  request("POST /api/deliveries/{id}/retry", { params: { id }, body: { fresh: isFresh } }).then(delivery);
