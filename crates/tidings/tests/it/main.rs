//! Routers without a server: requests in, responses out.

mod compile_errors;
mod destination_variables;
mod extractors;
mod first_program;
mod layers;
mod messaging_template;
mod order_of_routes;
mod rejections;
mod replies;
mod routes;
mod talk;
