import { Converter } from "typedoc"
export const nameModules = (app) => {}
