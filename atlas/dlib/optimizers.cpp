// Debian's libdlib-dev 19.24; -std=c++17 -ldlib -llapack -lblas
#include <dlib/dnn.h>

#include "../speak.hpp"

struct Layer {  // what a solver asks a layer for
  dlib::resizable_tensor weights;
  dlib::tensor& get_layer_params() { return weights; }
  const dlib::tensor& get_layer_params() const { return weights; }
};

namespace dlib {
double get_learning_rate_multiplier(const Layer&) { return 1; }
double get_weight_decay_multiplier(const Layer&) { return 1; }
}  // namespace dlib

template <class Solver>
Step driven(const Numbers& start) {
  auto layer = std::make_shared<Layer>();
  auto solver = std::make_shared<Solver>();
  layer->weights.set_size(start.size());
  std::copy(start.begin(), start.end(), layer->weights.host());
  return [layer, solver](const Numbers& gradient) {
    dlib::resizable_tensor g;
    g.set_size(gradient.size());
    std::copy(gradient.begin(), gradient.end(), g.host());
    const dlib::tensor& change = (*solver)(0.001F, *layer, g);
    float* x = layer->weights.host();
    for (size_t i = 0; i < gradient.size(); ++i) x[i] += change.host()[i];
    return Numbers(x, x + gradient.size());
  };
}

int main(int argc, char** argv) {
  const Chosen rate{{"learning_rate", 0.001}};
  return speak(argc, argv,
               {{"dlib::adam", {driven<dlib::adam>, rate}},
                {"dlib::sgd", {driven<dlib::sgd>, rate}}});
}
