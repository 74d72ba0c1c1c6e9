// Debian's libcereal-dev and tiny-dnn 1.0.0a3; -std=c++17 -lpthread
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include <tiny_dnn/optimizers/optimizer.h>

#include "../speak.hpp"

template <class Optimizer>
Step driven(const Numbers& start) {
  auto optimizer = std::make_shared<Optimizer>();
  auto x = std::make_shared<tiny_dnn::vec_t>(start.begin(), start.end());
  return [optimizer, x](const Numbers& gradient) {
    optimizer->update(tiny_dnn::vec_t(gradient.begin(), gradient.end()), *x, false);
    return Numbers(x->begin(), x->end());
  };
}

int main(int argc, char** argv) {
  return speak(argc, argv,
               {{"tiny_dnn::adam", {driven<tiny_dnn::adam>, {}}},
                {"tiny_dnn::adagrad", {driven<tiny_dnn::adagrad>, {}}},
                {"tiny_dnn::RMSprop", {driven<tiny_dnn::RMSprop>, {}}},
                {"tiny_dnn::momentum", {driven<tiny_dnn::momentum>, {}}},
                {"tiny_dnn::gradient_descent", {driven<tiny_dnn::gradient_descent>, {}}}});
}
