//! Requests and answers that are lost, late, double, cut or not the server's: scenario group RT.

mod compressed;
mod http;
mod lost;
mod not_a_server;
mod resumed;
